"""Checks of what only some studies have: code under two names, a split that was never declared, early stopping, judging."""

from __future__ import annotations

from collections.abc import Iterator

from scientist.papers._audit_context import Context, finding
from scientist.papers._fragments import readable
from scientist.papers._records import Finding


def check_same_code(ctx: Context) -> Iterator[Finding]:
    """No two variants ran the same work, by the hash of what ran; and one variant ran one work.

    Tuned variants choose their knobs anew for every seed and may choose the default: they are left out.
    """
    if ctx.study is None:
        return
    tuned = {variant.name for variant in ctx.study.variants if variant.tuner is not None}
    owner: dict[str, str] = {}
    own: dict[str, set[str]] = {}
    for (variant, _), result in ctx.results.items():
        if result.tree and variant not in tuned:
            own.setdefault(variant, set()).add(result.tree)
    for variant, trees in own.items():
        where = f"runs/{variant}"
        if len(trees) > 1:
            message = f"its runs carry {len(trees)} different hashes of code and knobs: not all of them are runs of it"
            yield finding("error", "mixed-code", where, message)
        for tree in sorted(trees):
            if tree in owner:
                message = f"'{owner[tree]}' and '{variant}' are the same work under two names (tree {tree[:12]})"
                yield finding("error", "same-code", where, message)
        for tree in trees:
            owner.setdefault(tree, variant)


def check_splits(ctx: Context) -> Iterator[Finding]:
    """A study that holds nothing out has no final scores, and its results no split but the one that decides."""
    if ctx.study is None or ctx.study.confirm_on != "none":
        return
    if ctx.final is not None and any(ctx.final.scores.values()):
        message = "it holds scores, and the study declares that nothing is held out"
        yield finding("error", "undeclared-split", "final.json", message)
    for (variant, seed), result in ctx.results.items():
        extra = sorted(set(result.metrics) - {ctx.study.decide_on})
        if extra:
            message = f"it has scores on {', '.join(extra)}, and the study declares that nothing is held out"
            yield finding("error", "undeclared-split", f"runs/{variant}/seed-{seed}/result.json", message)
            return


def check_stopped(ctx: Context) -> Iterator[Finding]:
    """Only a study that declares early stopping has stopped runs, and only after its look."""
    if ctx.study is None:
        return
    rule = ctx.study.early_stop
    late = set(ctx.study.seeds[rule.look :]) if rule else set()
    for (variant, seed), result in ctx.results.items():
        if result.status == "stopped" and seed not in late:
            why = "before the declared look" if rule else "and the study declares no early stopping"
            message = f"the run was stopped {why}"
            yield finding("error", "undeclared-stop", f"runs/{variant}/seed-{seed}/result.json", message)


def check_judging(ctx: Context) -> Iterator[Finding]:
    """A paper on self-reported metrics says so in its abstract, its limitations, and every caption that shows results."""
    if ctx.study is None or ctx.manuscript is None:
        return
    if ctx.manifest is not None and ctx.manifest.judging != ctx.study.judging:
        message = f"the manifest says '{ctx.manifest.judging}', the study '{ctx.study.judging}'"
        yield finding("error", "judging-unsaid", "manifest.json", message)
    if ctx.study.judging != "self-reported":
        return
    places = [("abstract", ctx.manuscript.abstract)]
    places += [(f"figure {figure.id}, caption", figure.caption) for figure in ctx.manuscript.figures]
    places += [(f"table {table.id}, caption", table.caption) for table in ctx.manuscript.tables if table.id != "data"]
    limits = " ".join(
        text
        for section in ctx.manuscript.sections
        if "limitation" in f"{section.id} {section.title}".lower()
        for text in section.paragraphs
    )
    for where, text in [*places, ("section limitations", limits)]:
        if "self-reported" not in readable(text).lower():
            message = "it does not say that the metric is self-reported by the experiment's own code"
            yield finding("error", "judging-unsaid", where, message)
