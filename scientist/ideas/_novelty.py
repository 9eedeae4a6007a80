"""Is an idea new? Compared by its design with what this lab did and plans, and by its words with what sources return.

The verdict can only err on one side: what no open source answered about is `undecided`, never `novel`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scientist.ideas._bibliography import ENOUGH, citable, used_values
from scientist.ideas._claims import claims_of
from scientist.ideas._idea import Idea
from scientist.ideas._similarity import design_similarity, knobs_of, signature
from scientist.ideas._works import EVIDENCE, Compared, compare, find_works
from scientist.literature import (
    LibrarySource,
    Neighbour,
    Novelty,
    NoveltyVerdict,
    Reference,
    Searched,
    Source,
    merge,
    packaged_library,
    same_work,
)
from scientist.literature._claims import phrasings
from scientist.literature._retractions import bare_title
from scientist.literature._store_source import learnt_from
from scientist.literature._text import Corpus, clean, title_key
from scientist.template import Template

CLOSE_DESIGN = 0.9
"""Same knobs, kind and settings with nearly the same values. The same design on another data set reaches 0.85 and is
a replication, which is worth running."""

CLOSE_WORK = 0.5
"""Half of the (rarity-weighted) words in common. Works that merely share the topic stay below 0.25; a title with most
of an idea's words, and an abstract to match, exceeds it."""

NEAR_WORK = 0.12
"""Below this, a work that an open source returned shares little more than its field and is not worth citing."""

NEIGHBOURS = 8
PASSAGE = 240


Recheck = Callable[[Idea, Compared], Compared]


@dataclass(frozen=True)
class _Finding:
    """What one comparison says: a verdict, how alike, and the sentence that says why."""

    verdict: NoveltyVerdict
    similarity: float
    reason: str


def check_novelty(
    idea: Idea,
    template: Template,
    backlog: Sequence[Idea],
    done: Sequence[Idea],
    sources: Sequence[Source],
    deadline: float,
    recheck: Recheck | None = None,
) -> Novelty:
    """The verdict on one idea, with its evidence and the closed set of works that its paper may cite.

    Rules, the first that applies counts (docs/literature.md gives the reasons):

    1. `known`: a study of the same design was done, or a person rejected it, or an earlier idea of the backlog has it.
       A repetition that a lesson about that very study asks for is `close` instead.
    2. `known`: a source returned a work of exactly this title, one that tells every claim almost word by word, or one
       that `recheck` read as having done it, with quotations for most of the claims. `close` where the work was retracted.
    3. `close`: a design at least :data:`CLOSE_DESIGN` alike, a work at least :data:`CLOSE_WORK` alike, or a work that
       stands out from the others by how much of the claims it tells, or that the idea varies as `recheck` read it.
    4. `novel`: nothing of this, and an open source answered every question with works to compare with.
    5. `undecided`: otherwise; only curated sources, empty answers or faults are no evidence of novelty.

    `deadline` is in seconds, for the sources. `recheck`: somebody who reads the nearest works where there are any beyond
    the packaged library. Never raises for a source that fails.
    """
    neighbours, findings = _compare_designs(idea, template, backlog, done)
    claims = claims_of(idea, template)
    works = find_works(sources, queries_for(idea, template), tuple(reversed(phrasings(claims)[1:])), deadline)
    compared = compare(claims, works, lambda: learnt_from(sources))
    if recheck is not None and compared.near:
        compared = recheck(idea, compared)
    near = _compare_works(idea, works.found)
    titled = [work for _, work in near if title_key(bare_title(work.title)) == title_key(idea.title)]
    for reason, some in ((_TITLE, titled), (_TOLD, compared.same), (_READ, compared.read_same)):
        findings += [_done_by(work, reason) for work in some]
    findings += [_Finding("close", s, _WORK.format(w.key, s)) for s, w in near if s >= CLOSE_WORK]
    if compared.close and compared.nearest is not None and compared.told is not None:
        findings.append(_Finding("close", compared.told, _STANDS.format(compared.nearest.key, compared.told)))
    verdict, reason = _verdict(findings, works.open_answered)

    library = next((s.library for s in sources if isinstance(s, LibrarySource)), packaged_library())
    # The nearest by claims come first: they are the evidence of the verdict.
    first = [compared.works[one.index] for one in compared.near[:EVIDENCE]] if compared.close else []
    alike = [w for s, w in near if w.source in works.open_names and s >= NEAR_WORK and (w in titled or not w.retracted)]
    opened = merge([*first, *alike])[:ENOUGH]
    references = citable(idea, template, library, opened)
    shown = [*near[:NEIGHBOURS], *((s, w) for s, w in near[NEIGHBOURS:] if any(same_work(w, f) for f in first))]
    beside = [n for n in (_work_neighbour(s, w, references, compared) for s, w in shown) if n]
    ranked = sorted([*neighbours, *beside], key=lambda n: (-n.similarity, n.kind, n.key))
    # What the verdict rests on is never cut away.
    evidence = [n for n in ranked[NEIGHBOURS:] if n.covers]
    neighbours = [*ranked[: NEIGHBOURS - len(evidence)], *evidence]
    highest = max([compared.told or 0.0, *(n.similarity for n in neighbours)])
    return Novelty(
        slug=idea.slug,
        verdict=verdict,
        reason=reason,
        score=0.0 if verdict == "known" else round(1.0 - highest, 4),
        neighbours=tuple(neighbours),
        searched=(*_own_records(idea, backlog, done), *works.asked),
        references=tuple(references),
        claims=claims,
        told=compared.told,
        compared=compared.by,
    )


# A reason is sentences; those with numbers or keys come second, so that prose can quote the first alone.
_DONE = "The same design was studied before, in '{}'"
_REPEAT = "The design repeats '{}', as a lesson from that study asks for"
_FAILED = "The same design was tried before, in '{}', and could not be carried out"
_REJECTED = "A person rejected the same design, in '{}'"
_TWICE = "The backlog already holds the same design, in '{}'"
_NEAR = "The design differs little from '{}'. Their similarity is {:.2f}"
_TITLE = "A work with this very title exists. It is {}"
_WORK = "A work asks much the same in much the same words. It is {}, with a similarity of {:.2f}"
_TOLD = "A work tells every claim of the idea almost word by word. It is {}"
_READ = "A work did what the idea asks, as a model read it, with quotations for most of its claims. It is {}"
_STANDS = "One work stands out from its field by how much of the idea it tells. It is {}, with a chance of {:.2f}"
_NOVEL = "Nothing close was found in the backlog, among the studies done, or in {}"
_WITHDRAWN = "; it was retracted, which proves nothing known."
_CURATED = (
    "Nothing close was found in the backlog, among the studies done, or in the library, "
    "but no source that covers the field answered, so that novelty cannot be claimed"
)


def queries_for(idea: Idea, template: Template) -> tuple[str, ...]:
    """What sources are asked: what varies and what it acts on, by their names; then the idea's title."""
    varied = knobs_of(idea)
    parts = ["hyperparameter tuning"] if idea.design.kind == "tuning" else []
    context = []
    for knob in template.knobs:
        labels = [knob.label(value) for value in used_values(knob, idea)]
        if knob.role == "dataset":
            continue
        if knob.name in varied and idea.design.kind != "tuning":
            parts.extend(labels[:2] if knob.role == "family" else [knob.title])
        elif knob.name in idea.settings and knob.role in ("family", "corruption"):
            context.extend(labels if knob.role == "family" else [knob.title])
    topic = clean(" ".join([*parts, *context]), 120)
    return tuple(dict.fromkeys(query for query in (topic, clean(idea.title, 120)) if query))


def _compare_designs(
    idea: Idea, template: Template, backlog: Sequence[Idea], done: Sequence[Idea]
) -> tuple[list[Neighbour], list[_Finding]]:
    neighbours: list[Neighbour] = []
    findings: list[_Finding] = []
    finished = {other.slug for other in done}
    same = signature(idea, template.defaults)
    for other in sorted((*done, *backlog), key=lambda o: (o.slug not in finished, o.slug)):
        if other.slug == idea.slug or any(n.key == other.slug for n in neighbours):
            continue
        equal = signature(other, template.defaults) == same
        similarity = 1.0 if equal else design_similarity(_stripped(idea, template), _stripped(other, template))
        if similarity == 0:
            continue
        kind = "paper" if other.slug in finished else "idea"
        neighbours.append(
            Neighbour(kind=kind, key=other.slug, title=other.title, similarity=similarity, passage=other.question)
        )
        if equal:
            findings.extend(_same_design(idea, other, other.slug in finished))
        elif similarity >= CLOSE_DESIGN and (other.slug in finished or _precedes(other, idea)):
            findings.append(_Finding("close", similarity, _NEAR.format(other.slug, similarity)))
    return neighbours, findings


def _stripped(idea: Idea, template: Template) -> Idea:
    """The idea without settings that say what is default anyway."""
    usual = template.defaults
    return idea.model_copy(update={"settings": {k: v for k, v in idea.settings.items() if usual.get(k) != v}})


def _same_design(idea: Idea, other: Idea, finished: bool) -> list[_Finding]:
    if finished and any(use.lesson.startswith(f"{other.slug}.") for use in idea.lessons):
        return [_Finding("close", 1.0, _REPEAT.format(other.slug))]
    if finished:
        return [_Finding("known", 1.0, (_FAILED if other.status == "failed" else _DONE).format(other.slug))]
    if other.status == "rejected":
        return [_Finding("known", 1.0, _REJECTED.format(other.slug))]
    # Of two equal ideas one has to stay, or both would go.
    return [_Finding("known", 1.0, _TWICE.format(other.slug))] if _precedes(other, idea) else []


def _precedes(a: Idea, b: Idea) -> bool:
    """Whether `a` keeps its place when both are the same: approved first, then a person's, then by name."""
    if a.status in ("known", "failed"):
        return False
    return (a.status != "approved", a.origin != "person", a.slug) < (
        b.status != "approved",
        b.origin != "person",
        b.slug,
    )


def _compare_works(idea: Idea, works: Sequence[Reference]) -> list[tuple[float, Reference]]:
    """Similarity of every work to the idea, nearest first. Rarity of words is measured on library and answers."""
    texts = [f"{work.title} {work.title} {work.abstract}" for work in works]
    background = [f"{work.title} {work.abstract}" for work in packaged_library().references]
    corpus = Corpus([*background, *texts])
    asked = f"{idea.title} {idea.title} {idea.question} {idea.hypothesis}"
    scored = [(round(corpus.similarity(asked, text), 4), work) for text, work in zip(texts, works, strict=True)]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1].key))


def _done_by(work: Reference, reason: str) -> _Finding:
    """That a work did the idea. A retracted one did not show it: the idea is close to it, and may be worth doing well."""
    if not work.retracted:
        return _Finding("known", 1.0, reason.format(work.key))
    return _Finding("close", 1.0, reason.replace(".", _WITHDRAWN, 1).format(work.key))


def _work_neighbour(
    similarity: float, work: Reference, references: Sequence[Reference], compared: Compared
) -> Neighbour | None:
    """The work under the key it is cited by. Works outside the closed set are no use to a reader of the paper."""
    cited = next((reference for reference in references if same_work(reference, work)), None)
    covers, lacks = compared.evidence(work)
    if cited is None or (similarity == 0 and not covers):
        return None
    passage = clean(cited.abstract or cited.gist, PASSAGE)
    return Neighbour(
        kind="work",
        key=cited.key,
        title=cited.title,
        similarity=similarity,
        passage=passage,
        covers=covers,
        lacks=lacks,
        retracted=work.retracted,
    )


def _verdict(findings: Sequence[_Finding], answered: Sequence[str]) -> tuple[NoveltyVerdict, str]:
    for verdict in ("known", "close"):
        matching = [finding for finding in findings if finding.verdict == verdict]
        if matching:
            return matching[0].verdict, max(matching, key=lambda finding: finding.similarity).reason + "."
    if answered:
        return "novel", _NOVEL.format(" and ".join(answered)) + "."
    return "undecided", _CURATED + "."


def _own_records(idea: Idea, backlog: Sequence[Idea], done: Sequence[Idea]) -> list[Searched]:
    """The comparison with the lab's own ideas, as a search like the others."""
    query = f"{idea.design.kind}: {', '.join(knobs_of(idea))}"
    others = {other.slug for other in (*backlog, *done)} - {idea.slug}
    return [Searched(source="backlog", query=query, answer="answered" if others else "empty", found=len(others))]
