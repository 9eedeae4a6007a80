"""Related work and method sources: only from records, grouped by what the works are about."""

from __future__ import annotations

from scientist.literature import Novelty, Reference
from scientist.papers._phrases import Phrases, listing, start
from scientist.papers._print import escape

HEADS = {
    "label-noise": "Wrong labels",
    "feature-noise": "Noisy inputs",
    "sample-size": "How much data is enough",
    "learning-curves": "Learning curves",
    "regularisation": "Regularisation",
    "model-comparison": "Comparing families of models",
    "random-forest": "Forests",
    "boosting-bagging": "Ensembles",
    "svm": "Support vector machines",
    "knn": "Nearest neighbours",
    "naive-bayes": "Naive Bayes",
    "logistic-regression": "Logistic regression",
    "neural-networks": "Neural networks",
    "grokking": "Late generalisation",
    "language-models": "Language models",
    "packing": "Packings and point sets",
    "global-optimisation": "Searching among many optima",
    "augmentation": "Augmentation",
    "calibration": "Calibration",
    "hyperparameter-optimisation": "Tuning",
    "imbalance": "Rare classes",
    "feature-scaling": "Scaling",
    "dimensionality-reduction": "Fewer dimensions",
    "transfer-across-datasets": "Beyond one data set",
    "interaction-of-factors": "Factors that interact",
    "statistics-of-comparison": "Comparing with statistics",
    "reproducibility": "Claims that do not last",
    "automated-science": "Automated science",
}
LAST = ("statistics-of-comparison", "reproducibility", "automated-science")
PER_TOPIC = 3
TOPICS = 6
FEWEST = 3
ENOUGH = 5
"""Topics, and works on them, below which a section about related work would say too little."""


def related_work(p: Phrases, novelty: Novelty) -> tuple[str, ...]:
    """One paragraph per topic of the study, each work once, then what is shared, what differs, and what was searched."""
    groups = _groups(p, novelty.references)
    paragraphs = []
    for topic, works in groups:
        clauses = [rf"\citet{{{work.key}}} {escape(work.gist.rstrip('.'))}" for work in works]
        paragraphs.append(
            rf"\paragraph{{{HEADS.get(topic, escape(topic.replace('-', ' ').capitalize()))}.}} {_sentences(clauses)}"
        )
    paragraphs.append(rf"\paragraph{{What is different here.}} {_difference(p, novelty)}")
    return tuple(paragraphs)


def _groups(p: Phrases, references: tuple[Reference, ...]) -> list[tuple[str, list[Reference]]]:
    """Works with a gist, by the study's topics: what varies first, then what is common to all studies."""
    varied = {k for v in p.study.variants for k in v.knobs if v.knobs[k] != p.study.variants[0].knobs[k]}
    varied |= {k for v in p.study.variants if v.tuner for k in v.tuner.knobs}
    order = [t for knob in p.template.knobs if knob.name in varied for t in knob.topics]
    order += {"interaction": ["interaction-of-factors"], "transfer": ["transfer-across-datasets"]}.get(
        p.idea.design.kind, []
    )
    reference = p.study.variants[0].knobs
    fixed = [k for k in p.template.knobs if k.name not in varied and reference[k.name] != k.default]
    order += [t for knob in fixed for t in knob.topics]
    mine = [t for t in dict.fromkeys(order) if t in HEADS and t not in LAST]
    placed = sum(bool(set(r.topics) & set(mine)) for r in references if r.gist)
    if (
        len(mine) < FEWEST and placed < ENOUGH
    ):  # too little to place the study: what its references are about, in their order
        mine += [t for r in references for t in r.topics if t in HEADS and t not in LAST and t not in mine]
    wanted = [*dict.fromkeys(mine[:TOPICS]), *LAST[:2]]
    used: set[str] = set()
    groups = []
    for topic in wanted:
        works = [r for r in references if r.gist and topic in r.topics and r.key not in used]
        # A work stands where it belongs most: topics are listed with the main one first. Among equals the record counts
        # in its own order, which is that of relevance.
        works = sorted(works, key=lambda r: r.topics.index(topic))[:PER_TOPIC]
        works.sort(key=lambda r: (r.year or 0, r.key))
        if works:
            used |= {work.key for work in works}
            groups.append((topic, works))
    return groups


def _sentences(clauses: list[str]) -> str:
    """Clauses as sentences; the second and third are tied together so that it does not read like a list."""
    if len(clauses) == 3:
        return f"{start(clauses[0])}. {start(clauses[1])}, and {clauses[2]}."
    return " ".join(f"{start(clause)}." for clause in clauses)


def _difference(p: Phrases, novelty: Novelty) -> str:
    works = [n for n in novelty.neighbours if n.kind == "work"]
    keys = {r.key for r in novelty.references}
    near = [n.key for n in works if n.key in keys][:3]
    sources = list(dict.fromkeys(s.source for s in novelty.searched))
    asked = [
        name
        for name in sources
        if any(s.source == name and s.answer in ("answered", "empty") for s in novelty.searched)
    ]
    out = [name for name in sources if name not in asked]
    text = (
        "The works above are about the same questions in general; this study asks one of them under the conditions of "
        rf"Section~\ref{{sec:method}}, with the contrasts, the margin and the number of {p.many} declared beforehand, and "
        "reports every contrast whatever it showed. "
    )
    if near:
        cited = listing([rf"\citet{{{key}}}" for key in near])
        text += f"Nearest among the records: {cited}; nearness was judged by their words, not by reading them in full. "
    text += f"For the novelty of the idea, the verdict is \\emph{{{novelty.verdict}}}"
    text += f": {escape(_no_digits(novelty.reason).rstrip('.'))}. "
    if asked:
        text += f"Searched: {listing([escape(NAMES.get(a, a)) for a in asked])}. "
    if out:
        text += f"Not reached: {listing([escape(NAMES.get(o, o)) for o in out])}. "
    return text.strip()


NAMES = {
    "library": "the laboratory's own library",
    "arxiv": "arXiv",
    "semanticscholar": "Semantic Scholar",
    "openalex": "OpenAlex",
    "crossref": "Crossref",
    "backlog": "the backlog of ideas",
    "docstrings": "the documentation of the software in use",
}


def _no_digits(text: str) -> str:
    """A reason for readers: sentences with digits in them (similarities, counts) stay in novelty.json."""
    kept = [s for s in text.split(". ") if not any(char.isdigit() for char in s)]
    return ". ".join(kept) or "see the appendix"


_SOFTWARE = {
    "torch": ("PyTorch", "paszke"),
    "numpy": ("NumPy", "harris"),
    "scipy": ("SciPy", "virtanen"),
    "scikit-learn": ("scikit-learn", "pedregosa"),
}
"""Package -> its name, and the first author of what to cite for it."""


def method_sources(p: Phrases, novelty: Novelty) -> str:
    """Which software was used and which sources its own documentation names for the methods in use."""
    software = {r.key.rstrip("0123456789"): r.key for r in novelty.references if "software" in r.topics}

    def named(package: str) -> str:
        title, author = _SOFTWARE[package]
        return title + (rf" \citep{{{software[author]}}}" if author in software else "")

    text = f"The methods are those of {named('scikit-learn')}" if "scikit-learn" in p.template.packages else ""
    rest = [named(package) for package in ("torch", "numpy", "scipy") if package in p.template.packages]
    documented = [r for r in novelty.references if r.source.startswith("docstring:")][:6]
    if text and documented:
        text += (
            rf", whose documentation refers to \citet{{{','.join(r.key for r in documented)}}} for what is used here"
        )
    uses = f"{'It also uses' if text else 'The code uses'} {listing(rest)}." if rest else ""
    return f"{text}. {uses}".strip() if text else uses
