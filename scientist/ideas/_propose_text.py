"""How the heuristic proposer says what it proposes: title, question, hypothesis and reason, from the template's words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scientist.ideas._idea import (
    Comparison,
    Design,
    DoseResponse,
    Expect,
    Interaction,
    Knobs,
    Modification,
    Robustness,
    Transfer,
    Tuning,
)
from scientist.ideas._propose_knobs import better, data_knob, family_knob, nominal, reverse
from scientist.lab import KnobValue
from scientist.template import Knob, Template


def listing(parts: Sequence[str], word: str = "and") -> str:
    """'a', 'a and b', 'a, b and c'."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def capital(text: str) -> str:
    """The text with its first letter in upper case, the rest untouched."""
    return text[:1].upper() + text[1:]


def plain(latex: str) -> str:
    """A unit without its LaTeX: '\\%' is '%'."""
    return latex.replace("\\", "").replace("$", "")


# Heads of the names of model families that take an article: 'a random forest', but 'logistic regression'.
COUNTED = (
    "machine",
    "forest",
    "tree",
    "network",
    "perceptron",
    "classifier",
    "model",
    "ensemble",
    "process",
    "mlp",
)


def article(label: str) -> str:
    """'a ', 'an ' or nothing before the name of a model family that comes without one."""
    words = label.split()
    if words[0].lower() in ("a", "an", "the") or words[-1].lower() not in COUNTED:
        return ""
    spelled = words[0].isupper() and len(words[0]) > 1
    return "an " if words[0][0] in ("AEFHILMNORSX" if spelled else "aeioAEIO") else "a "


class Words:
    """The vocabulary of one template under one set of fixed knobs."""

    def __init__(self, template: Template, settings: Knobs, smallest_effect: float) -> None:
        self.template = template
        self.settings = settings
        self.base = template.complete(dict(settings))
        self.metric = template.metric(template.objective.metric)
        self.effect = smallest_effect

    @property
    def measure(self) -> str:
        """The objective in running text: 'accuracy', but 'F1' and 'ROC' as they are."""
        title = self.metric.title
        return title if title[:2].upper() == title[:2] else title[:1].lower() + title[1:]

    @property
    def amount(self) -> str:
        """The smallest effect as it is printed: '1 point', '0.02'."""
        value = f"{self.effect * self.metric.scale:.4g}"
        unit = self.metric.difference or plain(self.metric.unit)
        if value == "1" and re.fullmatch(r"[a-z ]+s", unit):
            unit = unit[:-1]
        joint = "" if unit in ("", "%") else " "
        return f"{value}{joint}{unit}"

    def title(self, knob: Knob) -> str:
        """A knob in running text: 'label noise', 'L2 penalty', 'the number of trees'."""
        name = knob.title if knob.title[:2].isupper() else knob.title[:1].lower() + knob.title[1:]
        return f"the {name}" if re.match(r"[a-z]+ of ", name) else name

    def value(self, knob: Knob, value: KnobValue, unit: bool = False) -> str:
        """A value in running text, with its unit where it adds something: '80 examples', 'an RBF support vector machine'."""
        label = knob.label(value)
        if knob.role == "family":
            return f"{article(label)}{label}"
        known = {word.lower() for word in knob.title.split()}
        words = plain(knob.unit).split()
        # '50 trees' says nothing new about a number of trees, and '0.4 share of labels' is no English.
        if not unit or not words or knob.type == "choice" or words[0] == "share" or known & set(words):
            return label
        return f"{label} {' '.join(words)}"

    def index(self, knob: Knob, value: KnobValue) -> str:
        """A value of a number that is only an index: 'first shuffle', or 'row order 3' when it has no name."""
        return knob.label(value) if str(value) in knob.labels else f"{self.title(knob)} {value}"

    def step(self, name: str, start: KnobValue, to: KnobValue) -> str:
        """A change as a gerund: 'raising label noise from 0 to 0.4', 'turning augmentation on', 'using A instead of B'."""
        knob = self.template.knob(name)
        if knob.type == "bool":
            return f"turning {self.title(knob)} {knob.label(to)}"
        if knob.type == "choice" or nominal(knob):
            new, old = self.value(knob, to), self.value(knob, start)
            if knob.role in ("family", "dataset") or knob.labels:
                return f"using {new} instead of {old}"
            return f"setting {self.title(knob)} to {new} instead of {old}"
        verb = "raising" if float(to) > float(start) else "lowering"
        return f"{verb} {self.title(knob)} from {self.value(knob, start)} to {self.value(knob, to, unit=True)}"

    def treatment(self, treatment: Knobs) -> str:
        """Several changes against the fixed knobs, as one gerund phrase."""
        return listing([self.step(name, self.base[name], value) for name, value in treatment.items()])

    def at(self, name: str, value: KnobValue) -> str:
        """A condition: 'at label noise 0.4', 'with augmentation on', 'with 5 trees', 'on wine'."""
        knob = self.template.knob(name)
        if knob.role == "dataset":
            return f"on {self.value(knob, value)}"
        if nominal(knob):
            return f"with {self.index(knob, value)}"
        if knob.type == "choice":
            return f"with {self.value(knob, value)}"
        title = self.title(knob)
        if title.startswith("the "):
            return f"with {title} at {self.value(knob, value)}"
        return f"{'with' if knob.type == 'bool' else 'at'} {title} {self.value(knob, value)}"

    def place(self, *varied: str) -> str:
        """Where it happens: ' with a small MLP on wine at label noise 0.2', naming only what is not varied; may be empty."""
        family, data = family_knob(self.template), data_knob(self.template)
        parts = []
        if family and family.name not in varied:
            parts.append(f" with {self.value(family, self.base[family.name])}")
        if data and data.name not in varied:
            parts.append(f" on {self.value(data, self.base[data.name])}")
        named = {knob.name for knob in (family, data) if knob} | set(varied)
        others = [name for name in sorted(self.settings) if name not in named]
        if others:
            parts.append(f" {listing([self.at(name, self.settings[name]) for name in others])}")
        return "".join(parts)

    def claim(self, expect: Expect, by: bool = True) -> str:
        """'lowers accuracy by at least 1 point', in the direction that the study declares."""
        verb = {"greater": "raises", "less": "lowers"}.get(expect)
        if expect == "equivalent":
            return f"changes {self.measure} by less than {self.amount}"
        if verb is None:
            return f"moves {self.measure} by {self.amount} or more in either direction"
        return f"{verb} {self.measure}{f' by at least {self.amount}' if by else ''}"


def tell(design: Design, expect: Expect, words: Words) -> tuple[str, str, str]:
    """Title, question and hypothesis of a design."""
    match design:
        case DoseResponse():
            return _dose(design, expect, words)
        case Comparison():
            return _comparison(design, expect, words)
        case Interaction():
            return _interaction(design, expect, words)
        case Robustness():
            return _robustness(design, expect, words)
        case Transfer():
            return _transfer(design, expect, words)
        case Tuning():
            return _tuning(design, expect, words)
        case Modification():
            return _modification(design, expect, words)


def _modification(design: Modification, expect: Expect, words: Words) -> tuple[str, str, str]:
    return (
        f"Does {design.name} help? A change of the code, tested against the code as it is",
        f"Does {design.name} change {words.measure}?",
        f"Changed in this way, the code {words.claim(expect)}: {design.name}.",
    )


def _dose(design: DoseResponse, expect: Expect, words: Words) -> tuple[str, str, str]:
    knob = words.template.knob(design.knob)
    name, place = words.title(knob), words.place(design.knob)
    low, high = words.value(knob, design.levels[0]), words.value(knob, design.levels[-1])
    step = words.step(design.knob, design.levels[0], design.levels[-1])
    if knob.type in ("bool", "choice"):
        title = f"What {step} does to {words.measure}{place}"
        question = f"What does {step} do to {words.measure}{place}?"
    elif expect == reverse(better(words.template)):
        title = f"How fast {words.measure} degrades under {name}{place}"
        question = f"How much {words.measure} is lost as {name} goes from {low} to {high}{place}?"
        if words.metric.direction == "minimize":
            question = f"How far does {words.measure} rise as {name} goes from {low} to {high}{place}?"
    elif expect != "different":
        title = f"What {name} is worth in {words.measure}{place}"
        question = f"How much does {words.measure} gain as {name} goes from {low} to {high}{place}?"
        if words.metric.direction == "minimize":
            question = f"How far does {words.measure} fall as {name} goes from {low} to {high}{place}?"
    else:
        title = f"How {words.measure} responds to {name}{place}"
        question = f"Which way, and how far, does {words.measure} move as {name} goes from {low} to {high}{place}?"
    return title, question, capital(f"{step} {words.claim(expect)}{place}.")


def _comparison(design: Comparison, expect: Expect, words: Words) -> tuple[str, str, str]:
    knob = words.template.knob(design.knob)
    others = [choice for choice in design.choices if choice != design.reference]
    names = [words.value(knob, choice) for choice in (design.reference, *others)]
    place = words.place(design.knob)
    title = f"{capital(listing(names))} compared{place}"
    if knob.role != "family":
        title = f"{capital(words.title(knob))}: {listing(names)} compared{place}"
    word = "with" if knob.role == "family" else "under"
    bare = "" if knob.labels or knob.role == "family" else f"{words.title(knob)} "
    question = (
        f"Is {words.measure} different {word} {bare}{listing(names[1:], 'or')} than {word} {bare}{names[0]}{place}, "
        f"everything else held fixed?"
    )
    step = words.step(design.knob, design.reference, others[0])
    return title, question, capital(f"{step} {words.claim(expect)}{place}.")


def _interaction(design: Interaction, expect: Expect, words: Words) -> tuple[str, str, str]:
    first, second = words.template.knob(design.first), words.template.knob(design.second)
    place = words.place(design.first, design.second)
    b = words.title(second)
    start, to = design.first_values
    title = f"Does {b} change the effect of {_noun(words, design.first, start, to)} on {words.measure}{place}?"
    if first.role == "family":
        title = f"Does {b} change how {words.value(first, to)} compares with {words.value(first, start)}{place}?"
    step = words.step(design.first, *design.first_values)
    low, high = (words.at(design.second, value) for value in design.second_values)
    question = f"Is the effect on {words.measure} of {step} the same {low} and {high}{place}?"
    if expect == "different":
        claim = f"The effect of {step} differs by at least {words.amount} of {words.measure} between the two conditions"
    else:
        more = "more positive" if expect == "greater" else "more negative"
        claim = f"The effect on {words.measure} of {step} is {more} by at least {words.amount} in the second condition"
    return title, question, f"{claim}, {low} and {high}{place}."


def _robustness(design: Robustness, expect: Expect, words: Words) -> tuple[str, str, str]:
    stressor = words.template.knob(design.stressor)
    step = words.treatment(design.treatment)
    place = words.place(design.stressor, *design.treatment)
    harsh, benign = (words.at(design.stressor, value) for value in (design.levels[-1], design.levels[0]))
    noun = _short(words, design.treatment)
    title = f"Does the effect of {noun} survive a change in {words.title(stressor)}{place}?"
    question = f"Does {step} still do to {words.measure} {harsh} what it does {benign}{place}?"
    hypothesis = f"{harsh}, {step} still {words.claim(expect)}{place}."
    return title, question, capital(hypothesis)


def _transfer(design: Transfer, expect: Expect, words: Words) -> tuple[str, str, str]:
    knob = words.template.knob(design.knob)
    step = words.treatment(design.treatment)
    place = words.place(design.knob, *design.treatment)
    home, *elsewhere = [words.value(knob, value) for value in design.values]
    noun = _short(words, design.treatment)
    title = f"Does the effect of {noun} carry over from {home} to {listing(elsewhere)}{place}?"
    question = f"Does {step} do to {words.measure} on {listing(elsewhere)} what it does on {home}{place}?"
    mean = f"on average over {listing(elsewhere)}" if len(elsewhere) > 1 else f"on {elsewhere[0]}"
    return title, question, capital(f"{mean}, {step} {words.claim(expect)}{place}.")


def _tuning(design: Tuning, expect: Expect, words: Words) -> tuple[str, str, str]:
    names = [words.title(words.template.knob(name)) for name in design.knobs]
    place = words.place(*design.knobs)
    what = listing(names)
    samplers = listing([{"tpe": "TPE", "random": "random search"}[sampler] for sampler in design.samplers])
    title = f"Is tuning {what} worth its runs{place}?"
    question = (
        f"Given {design.trials} trials each, do {samplers} find settings of {what} that beat the defaults{place}?"
    )
    best = "TPE" if "tpe" in design.samplers else "random search"
    hypothesis = f"tuning {what} by {best} with {design.trials} trials {words.claim(expect)} over the default{place}."
    return title, question, capital(hypothesis)


def _short(words: Words, treatment: Knobs) -> str:
    """A treatment for a title: 'raising label noise', 'augmentation', 'a small MLP'."""
    return listing([_noun(words, name, words.base[name], value) for name, value in treatment.items()])


def _noun(words: Words, name: str, start: KnobValue, to: KnobValue) -> str:
    knob = words.template.knob(name)
    if knob.type == "bool":
        return words.title(knob) if knob.label(to) == "on" else f"no {words.title(knob)}"
    if knob.type == "choice":
        return (
            words.value(knob, to) if knob.labels or knob.role == "family" else f"{words.title(knob)} '{knob.label(to)}'"
        )
    if nominal(knob):
        return words.index(knob, to)
    return f"{'raising' if float(to) > float(start) else 'lowering'} {words.title(knob)}"


def reason(design: Design, words: Words) -> str:
    """Why anybody would want to know: the knobs' own reasons, and what this kind of design adds to them."""
    template = words.template
    match design:
        case DoseResponse():
            knob = template.knob(design.knob)
            return f"{_why(knob)} {_dose_reason(design, knob, words)}"
        case Comparison():
            knob = template.knob(design.knob)
            others = [words.value(knob, choice) for choice in design.choices if choice != design.reference]
            return (
                f"{_why(knob)} Whoever now uses {words.value(knob, design.reference)}{words.place(design.knob)} can "
                f"read off what a move to {listing(others, 'or')} would bring"
                f"{', with the seeds shared between them' if template.seeded else ''}."
            )
        case Interaction():
            first, second = template.knob(design.first), template.knob(design.second)
            return (
                f"{_why(first)} {_why(second)} If the two act together, advice about {words.title(first)} that was "
                f"found {words.at(design.second, design.second_values[0])} misleads "
                f"{words.at(design.second, design.second_values[1])}."
            )
        case Robustness():
            stressor = template.knob(design.stressor)
            whys = " ".join(_why(template.knob(name)) for name in design.treatment)
            return (
                f"{whys} {_why(stressor)} A gain or loss from {_short(words, design.treatment)} that disappears "
                f"{words.at(design.stressor, design.levels[-1])} should not be relied on where data are like that."
            )
        case Transfer():
            knob = template.knob(design.knob)
            whys = " ".join(_why(template.knob(name)) for name in design.treatment)
            return (
                f"{whys} {_why(knob)} If what {_short(words, design.treatment)} does on "
                f"{words.value(knob, design.values[0])} carries over, it can be advised beyond it; if not, the advice "
                f"has to name its data."
            )
        case Tuning():
            first = template.knob(design.knobs[0])
            runs = f"{design.trials} runs per seed"
            return (
                f"{_why(first)} Comparisons are often decided by who tuned more; giving every sampler {runs} shows "
                f"whether the search or only the budget makes the difference."
            )
        case Modification():
            return (
                f"A change that is worth its lines should show on {words.measure}, and be more than the noise of seeds."
            )


def _why(knob: Knob) -> str:
    text = knob.why.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _dose_reason(design: DoseResponse, knob: Knob, words: Words) -> str:
    low, high = words.value(knob, design.levels[0]), words.value(knob, design.levels[-1])
    name = words.title(knob)
    if knob.role == "corruption":
        return f"How much of it can be tolerated before {words.measure} suffers says what cleaner data are worth."
    if knob.role == "sample":
        return f"The curve between {low} and {high} says when collecting more stops being worth its price."
    if knob.role in ("capacity", "regularisation"):
        usual = words.value(knob, knob.default)
        return f"A curve from {low} to {high} shows whether the default of {usual} is well placed."
    if knob.type == "bool":
        return f"It is switched {knob.label(knob.default)} by default, and a default deserves a test."
    return f"A series from {low} to {high} tells a steady influence of {name} from one that sets in at an extreme."
