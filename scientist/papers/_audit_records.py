"""Checks of what stands behind the words: facts, runs, statistics, figures, study, journal and build."""

from __future__ import annotations

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from scientist.errors import LabError, ScientistError
from scientist.lab import canonical_json, inside
from scientist.papers._audit_context import Context, finding
from scientist.papers._audit_values import differences, prints, resolve, same_value, short
from scientist.papers._build import load_context
from scientist.papers._curves import load_points
from scientist.papers._records import Fact, Finding


def check_fact_values(ctx: Context) -> Iterator[Finding]:
    """Each fact's file has the hash it names, and holds that value at that pointer; the text prints that value."""
    documents: dict[str, Any] = {}
    for fact in ctx.known.values():
        try:
            inside(ctx.paper, fact.file)
        except LabError:
            yield finding("error", "fact-value", fact.id, f"'{fact.file}' leads outside the paper")
            continue
        if not ctx.hash_of(fact.file):
            yield finding("error", "fact-value", fact.id, f"{fact.file} does not exist")
            continue
        if fact.file not in documents:
            documents[fact.file] = _document(ctx, fact.file)
        try:
            found = resolve(documents[fact.file], fact.pointer)
        except LookupError:
            yield finding("error", "fact-value", fact.id, f"{fact.file} has nothing at '{fact.pointer}'")
            continue
        if not same_value(fact, found, ctx.hash_of(fact.file)):
            message = f"the fact says {fact.value!r}, {fact.file}{fact.pointer} says {short(found)}"
            yield finding("error", "fact-value", fact.id, message)
        elif not prints(fact):
            message = f"it prints '{fact.text}', which is not {fact.value!r} in any unit"
            yield finding("error", "fact-value", fact.id, message)


def check_fact_hashes(ctx: Context) -> Iterator[Finding]:
    """Files are still what the facts were taken from; one finding per file."""
    stale: dict[str, list[str]] = defaultdict(list)
    for fact in ctx.known.values():
        if ctx.hash_of(fact.file) not in ("", fact.sha256):
            stale[fact.file].append(fact.id)
    for file, facts in stale.items():
        count = f"{len(facts)} facts were" if len(facts) > 1 else f"fact '{facts[0]}' was"
        yield finding("error", "fact-hash", file, f"the file changed after {count} taken from it")


def check_fact_provenance(ctx: Context) -> Iterator[Finding]:
    """A fact names the run its id speaks of, and equals the fact that is made again from the artefacts."""
    for fact in ctx.known.values():
        yield from _runs_of(ctx, fact)
    make, template = ctx.rebuild.build_facts, ctx.rebuild.template
    if make is None or template is None or ctx.idea is None or ctx.study is None or ctx.analysis is None:
        return
    try:
        again = make(ctx.paper, template, ctx.idea, ctx.study, ctx.analysis, tuple(ctx.results.values())).by_id()
    except (ScientistError, ValueError, LookupError) as error:
        yield finding("error", "fact-provenance", "facts.json", f"the facts cannot be made again: {error}")
        return
    for fact in ctx.known.values():
        fresh = again.get(fact.id)
        if fresh is None:
            yield finding("error", "fact-provenance", fact.id, "making the facts again gives no such fact")
            continue
        for name in ("file", "pointer", "runs", "value", "text", "n", "kind", "unit"):
            ours, theirs = getattr(fact, name), getattr(fresh, name)
            if ours != theirs:
                message = f"its {name} is {short(ours)}; made again from the artefacts it is {short(theirs)}"
                yield finding("error", "fact-provenance", fact.id, message)
                break
    for missing in sorted(set(again) - set(ctx.known)):
        yield finding("error", "fact-provenance", missing, "facts.json lacks it")


def _runs_of(ctx: Context, fact: Fact) -> Iterator[Finding]:
    """What an id says about its origin: run.<variant>.s<seed>.*, v.<variant>.*, c.<contrast>.*"""
    parts = fact.id.split(".")
    if parts[0] == "run" and len(parts) == 4:
        run = f"{parts[1]}/seed-{parts[2].removeprefix('s')}"
        if fact.file != f"runs/{run}/result.json" or fact.runs != (run,):
            message = f"it speaks of run {run} and is taken from {fact.file} ({', '.join(fact.runs) or 'no run'})"
            yield finding("error", "fact-provenance", fact.id, message)
    elif parts[0] in ("v", "c") and len(parts) > 2 and ctx.study is not None and ctx.analysis is not None:
        place = re.match(r"/(?:variants|contrasts)/(\d+)/", fact.pointer)
        if fact.file != "analysis.json" or place is None:
            return
        names = [v.name for v in ctx.analysis.variants] if parts[0] == "v" else [c.id for c in ctx.analysis.contrasts]
        index = int(place.group(1))
        if index >= len(names) or names[index] != parts[1]:
            there = names[index] if index < len(names) else "nothing"
            message = f"it points at '{there}' in analysis.json"
            yield finding("error", "fact-provenance", fact.id, message)
        allowed = {parts[1]}
        if parts[0] == "c":
            allowed = {n for c in ctx.study.contrasts if c.id == parts[1] for n in c.weights}
        strangers = sorted({run for run in fact.runs if run.rpartition("/")[0] not in allowed})
        if strangers:
            yield finding(
                "error", "fact-provenance", fact.id, f"it rests on {', '.join(strangers[:3])}, another variant"
            )


def check_results(ctx: Context) -> Iterator[Finding]:
    """Every declared run is there, is of its variant and seed, and is what it was when the paper was made."""
    frozen = ctx.manifest.files if ctx.manifest else {}
    from_facts = {fact.file: fact.sha256 for fact in ctx.known.values() if fact.file.startswith("runs/")}
    for (variant, seed), result in ctx.results.items():
        folder = f"runs/{variant}/seed-{seed}"
        where = f"{folder}/result.json"
        expected = frozen.get(where) or from_facts.get(where)
        if expected and ctx.hash_of(where) != expected:
            yield finding("error", "result-changed", where, "the result was changed after the paper was made")
        if (result.variant, result.seed) != (variant, seed):
            message = f"it is the result of {result.variant}/seed-{result.seed}"
            yield finding("error", "result-changed", where, message)
        declared = ctx.study.variant(variant) if ctx.study else None
        tuned = set(declared.tuner.knobs) if declared and declared.tuner else set()
        for knob, value in declared.knobs.items() if declared else ():
            if knob not in tuned and knob in result.knobs and result.knobs[knob] != value:
                message = f"it ran with {knob} = {result.knobs[knob]!r}; the study declares {value!r}"
                yield finding("error", "result-changed", where, message)
        for name, digest in result.artefacts.items():
            output = f"{folder}/outputs/{name}"
            if ctx.hash_of(output) not in ("", digest):
                yield finding("error", "result-changed", output, "the output is not the one that was scored")


def check_artefacts(ctx: Context) -> Iterator[Finding]:
    """Everything that the manifest lists is there and unchanged; results, figures and study have their own checks."""
    if ctx.manifest is None:
        return
    for name, digest in ctx.manifest.files.items():
        try:
            inside(ctx.paper, name)
        except LabError:
            yield finding("error", "artefact-changed", name, "the manifest lists a file outside the paper")
            continue
        present = ctx.hash_of(name)
        if not present:
            code = "figure-missing" if name.startswith("figures/") else "artefact-missing"
            yield finding("error", code, name, "the manifest lists it, and it does not exist")
        elif present != digest and not re.fullmatch(r"study\.json|figures/.*|runs/[^/]*/seed-\d+/result\.json", name):
            yield finding("error", "artefact-changed", name, "it is not the file that the manifest lists")


def check_analysis(ctx: Context) -> Iterator[Finding]:
    """The declared statistics, made again from the results, give the analysis that the paper prints."""
    if ctx.rebuild.analyse is None or ctx.study is None or ctx.analysis is None:
        return
    try:
        again = ctx.rebuild.analyse(ctx.study, tuple(ctx.results.values()), ctx.final)
    except (ScientistError, ValueError, LookupError) as error:
        yield finding("error", "analysis-changed", "analysis.json", f"it cannot be made again: {error}")
        return
    places = list(differences(again, ctx.analysis))
    for pointer, fresh, ours in places[:10]:
        message = f"{pointer} is {short(ours)}; made again from the runs it is {short(fresh)}"
        yield finding("error", "analysis-changed", "analysis.json", message)
    if len(places) > 10:
        message = f"and {len(places) - 10} more values differ"
        yield finding("error", "analysis-changed", "analysis.json", message)


def check_figures(ctx: Context) -> Iterator[Finding]:
    """Figures exist, are the ones that were drawn, and come out the same when they are drawn again."""
    figures = ctx.manuscript.figures if ctx.manuscript else ()
    frozen = ctx.manifest.files if ctx.manifest else {}
    seen: dict[str, str] = {}
    for figure in figures:
        present = ctx.hash_of(figure.file)
        if not present:
            yield finding("error", "figure-missing", figure.file, f"figure '{figure.id}' has no file")
            continue
        if present != figure.sha256 or present != frozen.get(figure.file, present):
            yield finding("error", "figure-changed", figure.file, "the file is not the figure that was drawn")
        if present in seen:
            yield finding("error", "figure-duplicate", figure.file, f"the same picture as {seen[present]}")
        seen.setdefault(present, figure.file)
    used = {figure.file for figure in figures}
    for path in sorted((ctx.paper / "figures").glob("*")):
        name = f"figures/{path.name}"
        if path.is_file() and name not in used:
            yield finding("warning", "figure-unused", name, "no figure of the manuscript uses this file")
    yield from _redrawn(ctx)


def _redrawn(ctx: Context) -> Iterator[Finding]:
    draw, template = ctx.rebuild.draw, ctx.rebuild.template
    parts = (ctx.idea, ctx.study, ctx.analysis, ctx.final, ctx.manuscript)
    if draw is None or template is None or any(part is None for part in parts):
        return
    assert ctx.idea and ctx.study and ctx.analysis and ctx.final and ctx.manuscript
    made_with = ctx.manifest.versions.get("matplotlib") if ctx.manifest else None
    if made_with and made_with != metadata.version("matplotlib"):
        message = f"not redrawn: made with matplotlib {made_with}, here is {metadata.version('matplotlib')}"
        yield finding("note", "figure-unchecked", "figures", message)
        return
    with tempfile.TemporaryDirectory() as scratch:
        # Learning curves are drawn from the runs' own files, which the manifest lists.
        (Path(scratch) / "runs").symlink_to((ctx.paper / "runs").resolve(), target_is_directory=True)
        results = tuple(ctx.results.values())
        try:
            again = draw(Path(scratch), template, ctx.idea, ctx.study, ctx.analysis, ctx.final, results)
        except (ScientistError, ValueError, LookupError) as error:
            yield finding("error", "figure-changed", "figures", f"they cannot be drawn again: {error}")
            return
    fresh = {figure.id: figure for figure in again}
    for figure in ctx.manuscript.figures:
        if figure.id not in fresh:
            yield finding("error", "figure-changed", figure.file, "drawing again gives no such figure")
        elif ctx.hash_of(figure.file) not in ("", fresh[figure.id].sha256):
            message = "drawn again from the analysis it looks different"
            yield finding("error", "figure-changed", figure.file, message)


def check_study(ctx: Context) -> Iterator[Finding]:
    """The study is the one that was frozen: its hash stands in facts, analysis, final scores, manifest and journal."""
    if ctx.study is None:
        return
    digest, stored = ctx.study.digest(), ctx.hash_of("study.json")
    if stored != digest:
        yield finding("error", "study-changed", "study.json", "it is not in the form in which it was frozen")
    holders: list[tuple[str, str | None]] = [
        ("facts.json", ctx.facts.study_sha256 if ctx.facts else None),
        ("analysis.json", ctx.analysis.study_sha256 if ctx.analysis else None),
        ("final.json", ctx.final.study_sha256 if ctx.final else None),
        ("manifest.json", ctx.manifest.study_sha256 if ctx.manifest else None),
    ]
    for name, known in holders:
        if known is not None and known != digest:
            yield finding(
                "error", "study-changed", "study.json", f"{name} was made from study {known[:12]}, not {digest[:12]}"
            )
    if ctx.journal is None or not ctx.journal.path.exists():
        return
    try:
        frozen = ctx.journal.find("study.frozen", slug=ctx.study.slug)
    except LabError:
        return  # check_journal says so
    if not frozen:
        yield finding("warning", "study-unfrozen", "study.json", "the journal does not say when it was frozen")
    elif frozen[-1]["data"].get("sha256") != digest:
        message = f"the journal froze study {str(frozen[-1]['data'].get('sha256'))[:12]}, this is {digest[:12]}"
        yield finding("error", "study-changed", "study.json", message)


def check_journal(ctx: Context) -> Iterator[Finding]:
    """The lab's journal is whole, final was opened once, and the manifest is the one that was journaled."""
    if ctx.journal is None:
        return
    if not ctx.journal.path.exists():
        yield finding("warning", "journal-missing", "journal.jsonl", "the lab has no journal")
        return
    faults = ctx.journal.verify()
    for fault in faults:
        yield finding("error", "journal-broken", fault.partition(": ")[0], fault.partition(": ")[2])
    if any("not JSON" in fault or "not a journal line" in fault for fault in faults) or ctx.study is None:
        return
    opened = ctx.journal.find("final.opened", slug=ctx.study.slug)
    frozen = ctx.journal.find("study.frozen", slug=ctx.study.slug)
    studies = {entry["data"].get("sha256") for entry in frozen}
    if len(opened) > max(1, len(studies)):
        message = f"final was opened {len(opened)} times for {max(1, len(studies))} frozen study"
        yield finding("warning", "final-reopened", "journal.jsonl", message)
    built = [
        *ctx.journal.find("paper.built", slug=ctx.study.slug),
        *ctx.journal.find("paper.done", slug=ctx.study.slug),
    ]
    if built and ctx.manifest is not None and built[-1]["data"].get("manifest") != ctx.hash_of("manifest.json"):
        yield finding("error", "artefact-changed", "manifest.json", "it is not the manifest that the journal names")
    yield from _decided_before(ctx)


def _decided_before(ctx: Context) -> Iterator[Finding]:
    """The verdicts on keep were journaled before final was opened; the runs still give the same ones."""
    if ctx.journal is None or ctx.study is None or ctx.rebuild.analyse is None:
        return
    frozen = ctx.journal.find("study.frozen", slug=ctx.study.slug)
    since = frozen[-1]["n"] if frozen else 0
    decided = [entry for entry in ctx.journal.find("keep.analysed", slug=ctx.study.slug) if entry["n"] > since]
    if not decided:
        return
    if len({entry["data"].get("sha256") for entry in decided}) > 1:
        # Runs repeat exactly, so the same study gives the same analysis however often it is made again.
        message = "the journal holds different analyses of keep for one frozen study: a run was changed in between"
        yield finding("error", "analysis-changed", "journal.jsonl", message)
    try:
        again = ctx.rebuild.analyse(ctx.study, tuple(ctx.results.values()), None)
    except (ScientistError, ValueError, LookupError):
        return  # check_analysis says so
    if again.digest() != decided[-1]["data"].get("sha256"):
        message = "the runs no longer give the analysis of keep that was journaled before final was opened"
        yield finding("error", "analysis-changed", "journal.jsonl", message)


def check_build(ctx: Context) -> Iterator[Finding]:
    """paper.tex is what the manuscript builds, and there is a PDF."""
    if ctx.tex is None:
        yield finding("error", "artefact-missing", "paper.tex", "paper.tex does not exist")
    elif ctx.rebuild.build_tex is not None and ctx.manuscript is not None:
        try:
            again = ctx.rebuild.build_tex(load_context(ctx.paper))
        except (ScientistError, ValueError, LookupError) as error:
            yield finding("error", "tex-changed", "paper.tex", f"the manuscript does not build: {error}")
        else:
            if again != ctx.tex:
                line = next(
                    (
                        n
                        for n, (a, b) in enumerate(zip(again.splitlines(), ctx.tex.splitlines(), strict=False), 1)
                        if a != b
                    ),
                    min(len(again.splitlines()), len(ctx.tex.splitlines())) + 1,
                )
                yield finding("error", "tex-changed", f"paper.tex:{line}", "it is not what the manuscript builds")
    pdf = ctx.paper / "paper.pdf"
    if not pdf.is_file():
        if ctx.manifest is None or "paper.pdf" in ctx.manifest.files:
            yield finding("error", "pdf-missing", "paper.pdf", "there is no PDF")
        else:
            yield finding("note", "pdf-missing", "paper.pdf", "the paper was built without a PDF")
    elif pdf.read_bytes()[:5] != b"%PDF-":
        yield finding("error", "pdf-missing", "paper.pdf", "the file is no PDF")


def check_twins(ctx: Context) -> Iterator[Finding]:
    """No two variants are the same work: same knobs that act, same tuner, same patch."""
    template = ctx.rebuild.template
    seen: dict[bytes, str] = {}
    for variant in ctx.study.variants if ctx.study else ():
        knobs = variant.knobs
        if template is not None and set(knobs) <= {knob.name for knob in template.knobs}:
            knobs = template.effective(knobs)
        tuner = variant.tuner.model_dump(mode="json") if variant.tuner else None
        key = canonical_json([knobs, tuner, variant.code])
        if key in seen:
            message = f"variants '{seen[key]}' and '{variant.name}' have the same code and knobs"
            yield finding("error", "twin-variants", f"study.json, variant {variant.name}", message)
        seen.setdefault(key, variant.name)


def check_power(ctx: Context) -> Iterator[Finding]:
    """What the reader should know about the number of seeds."""
    if ctx.study is None:
        return
    n, pilot = len(ctx.study.seeds), ctx.study.pilot
    if n < 5:
        few = "one seed gives no interval and no test" if n == 1 else f"{n} seeds per variant give wide intervals"
        yield finding("warning", "few-seeds", "study.json", few)
    if pilot.capped:
        message = (
            f"the budget allowed {n} of the {pilot.needed} seeds that the wanted power asks for; expected "
            f"power "
            f"{pilot.expected_power:.0%}"
        )
        yield finding("note", "power-capped", "study.json", message)


def _document(ctx: Context, name: str) -> Any:
    if name == "idea.md":
        return ctx.idea.model_dump(mode="json") if ctx.idea else None
    if not name.endswith((".json", ".jsonl")):
        return None
    try:
        text = (ctx.paper / name).read_text(encoding="utf-8")
        return load_points(text) if name.endswith("l") else json.loads(text)
    except ValueError:
        return None
