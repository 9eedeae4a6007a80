"""The stages of one paper, in order. A stage is done when its artefacts are there and valid; see `scientist.loop`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from scientist._cast import BY_RULES, HEURISTIC, Cast
from scientist.errors import RecordError
from scientist.experiments import (
    VARIANT,
    Analysis,
    Bench,
    Change,
    FinalScores,
    RayExecutor,
    RunResult,
    Study,
    analyse,
    choose_sandbox,
    ensure_contained,
    freeze,
    frozen_study,
    known_runs,
    make_change,
    open_final,
    pilot,
    plan_study,
    read_results,
    run_study,
)
from scientist.ideas import Idea, Lessons, Modification, read_idea, render_idea
from scientist.lab import Lab, Record, read_json, remove_tree, sha256_file, write_atomic
from scientist.literature import Novelty, to_bibtex
from scientist.papers import (
    CITATIONS,
    LOOKED,
    Audit,
    Facts,
    Manifest,
    Manuscript,
    Material,
    ModelWriter,
    Rebuild,
    audit,
    build_facts,
    build_tex,
    compile_pdf,
    draw_figures,
    find_citations,
    isolation_of,
    keep_baseline,
    load_context,
    make_manifest,
    picture_figures,
    read_usages,
)
from scientist.progress import Progress
from scientist.reviews import Review, lessons_from
from scientist.reviews.model import Panel, with_lessons_of
from scientist.template import Template


@dataclass
class Workshop:
    """What every stage needs: the lab, the template, who plays the roles, and a bench that starts when first used."""

    lab: Lab
    template: Template
    progress: Progress
    cast: Cast
    pdf: bool = True
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @cached_property
    def bench(self) -> Bench:
        """Where runs execute, and the judges; shared by all papers of a campaign."""
        settings, scratch = self.lab.settings, self.lab.private / "scratch"
        if settings.executor == "ray":
            cluster = RayExecutor(self.template, settings.sandbox, scratch, settings.workers, settings.address)
            self._stack.callback(cluster.stop)  # it is connected from here on
            made = Bench(self.template, cluster, scratch)
        else:
            gpus = self.template.budget.gpus > 0
            sandbox = choose_sandbox(settings.sandbox, self.template.hide, gpus)
            made = Bench.local(self.template, sandbox, scratch, self.lab.workers)
        bench = self._stack.enter_context(made)
        self._attack(bench)
        return bench

    def _attack(self, bench: Bench) -> None:
        """Attack the evaluator before it may spend budget; what plain processes cannot stop is said aloud."""
        cache = self.lab.private / "contained" / f"{self.template.name}.txt"
        for row in ensure_contained(bench, cache):
            self.progress.note(f"without bubblewrap the attack '{row.name}' would earn a score: {row.about}")

    @contextlib.contextmanager
    def open(self) -> Iterator[Workshop]:
        """End the bench, and what the cast started, when the work ends."""
        with self._stack:
            self._stack.callback(self.cast.close)
            yield self


def stage_artefacts(paper: Path, reviews: Path, *, pdf: bool) -> dict[str, list[Path]]:
    """stage -> the files that mark it done, in order; the runs are marked by their results, see :func:`all_ran`."""
    return {
        "idea": [paper / "idea.md", paper / "novelty.json"],
        "study": [paper / "study.json"],
        "runs": [],
        "final": [paper / "final.json"],
        "analysis": [paper / "analysis.json"],
        "facts": [paper / "facts.json"],
        "manuscript": [paper / "manuscript.json"],
        "pdf": [paper / "references.bib", paper / "paper.tex", *([paper / "paper.pdf"] if pdf else [])],
        "manifest": [paper / "manifest.json"],
        "audit": [paper / "audit.json"],
        "review": [reviews / "heuristic.json"],
        "lessons": [reviews / "lessons.json"],
    }


def all_ran(paper: Path) -> bool:
    """Every run that the study declares has ended, well or badly."""
    if not (paper / "study.json").exists():
        return False
    study = read_json(Study, paper / "study.json")
    return all(
        (paper / "runs" / variant.name / f"seed-{seed}" / "result.json").exists()
        for variant in study.variants
        for seed in study.seeds
    )


def waiting_stage(lab: Lab, slug: str) -> str | None:
    """The first stage of a paper that lacks an artefact; None when it lacks nothing. Reads, and does no work.

    A paper that was made without a PDF lacks none.
    """
    paper = lab.paper(slug)
    manifest = paper / "manifest.json"
    pdf = not manifest.exists() or "paper.pdf" in read_json(Manifest, manifest).files
    for stage, paths in stage_artefacts(paper, lab.reviews / slug, pdf=pdf).items():
        if not all(path.is_file() for path in paths) or (stage == "runs" and not all_ran(paper)):
            return stage
    return None


@dataclass
class PaperInProgress:
    """One paper and its stages; every method reads what it needs from the artefacts of the stages before it."""

    shop: Workshop
    idea: Idea
    novelty: Novelty
    round: int

    @property
    def slug(self) -> str:
        return self.idea.slug

    @property
    def folder(self) -> Path:
        return self.shop.lab.paper(self.slug)

    @property
    def reviews(self) -> Path:
        return self.shop.lab.reviews / self.slug

    def stages(self) -> list[Stage]:
        """All stages in order."""
        folder = self.folder
        left = stage_artefacts(folder, self.reviews, pdf=self.shop.pdf)
        return [
            Stage("idea", left["idea"], self.write_inputs, Novelty),
            Stage("code", [], self.change_code, done=self.code_is_there, extra=[folder / "variants"]),
            Stage("study", left["study"], self.declare, Study, extra=[folder / "pilot"]),
            Stage("runs", [], self.run, done=lambda: all_ran(folder), extra=[folder / "runs"]),
            Stage("final", left["final"], self.open_final, FinalScores),
            Stage("analysis", left["analysis"], self.analyse, Analysis),
            Stage("facts", left["facts"], self.find_facts, Facts),
            Stage(
                "manuscript", left["manuscript"], self.write, Manuscript, extra=[folder / "figures", folder / LOOKED]
            ),
            Stage("pdf", left["pdf"], self.build, extra=[folder / CITATIONS]),
            Stage("manifest", left["manifest"], self.list_files, Manifest),
            Stage("audit", left["audit"], self.check, Audit),
            Stage("review", left["review"], self.review, Review),
            Stage("lessons", left["lessons"], self.learn, Lessons),
        ]

    # -- records of the stages before ----------------------------------------------------------------------------

    @property
    def roles(self) -> dict[str, str]:
        """Who did what, rules or a model: an idea that rules composed, or knobs that rules turned, stay theirs."""
        labels = self.shop.cast.labels()
        if self.idea.origin != "model":
            asked, step = labels["proposer"], f"ideas of round {self.round}"
            nothing = self.shop.lab.journal.find(BY_RULES, role="proposer", step=step)
            labels["proposer"] = f"{HEURISTIC} ({asked} gave nothing usable)" if nothing else HEURISTIC
        if not isinstance(self.idea.design, Modification):
            labels["experimenter"] = HEURISTIC
        if labels["reviewer"] != HEURISTIC:
            labels["reviewer"] = f"{HEURISTIC}, with {labels['reviewer']} beside it"
        return labels

    @property
    def study(self) -> Study:
        return frozen_study(self.folder, self.shop.lab.journal)

    def results(self, study: Study) -> list[RunResult]:
        return read_results(self.folder / "runs", study.variants, study.seeds)

    @property
    def analysis(self) -> Analysis:
        return read_json(Analysis, self.folder / "analysis.json")

    # -- stages --------------------------------------------------------------------------------------------------

    def write_inputs(self) -> None:
        write_atomic(self.folder / "idea.md", render_idea(self.idea))
        write_atomic(self.folder / "novelty.json", self.novelty.canonical())
        keep_baseline(self.folder, self.shop.template)

    def code_is_there(self) -> bool:
        """Only an idea that changes the code needs anybody to write some."""
        changes = isinstance(self.idea.design, Modification)
        return not changes or (self.folder / "variants" / VARIANT / "change.json").is_file()

    def change_code(self) -> None:
        shop = self.shop
        idea = read_idea(self.folder / "idea.md")
        if not isinstance(idea.design, Modification):
            return
        change = make_change(shop.cast.experimenter(self.slug), shop.bench, idea, self.folder)
        shop.lab.journal.append("code.changed", slug=self.slug, by=change.by, files=change.files)
        shop.progress.note(
            f"{self.slug}: {change.by} changed {change.lines_removed} lines into {change.lines_added}, "
            f"in {len(change.tries)} {'tries' if len(change.tries) > 1 else 'try'}"
        )

    def declare(self) -> None:
        lab = self.shop.lab
        idea = read_idea(self.folder / "idea.md")
        code: dict[str, str] = {}
        if isinstance(idea.design, Modification):
            code = read_json(Change, self.folder / "variants" / VARIANT / "change.json").files
        variants, contrasts, results, seeds = pilot(
            self.shop.bench, idea, self.folder, lab.settings, self.shop.progress, lab.check_stop, code
        )
        study = plan_study(self.shop.bench, idea, lab.settings, variants, contrasts, results, seeds)
        if study.pilot.capped:
            self.shop.progress.note(
                f"{self.slug}: {study.pilot.needed} {'seeds' if study.seeded else 'repetitions'} wanted, "
                f"{len(study.seeds)} allowed; "
                f"expected power {study.pilot.expected_power:.0%}"
            )
        freeze(study, self.folder, lab.journal)

    def run(self) -> None:
        lab, study = self.shop.lab, self.study
        known = known_runs(lab.papers, but=self.slug)
        run_study(self.shop.bench, study, self.folder / "runs", self.shop.progress, lab.check_stop, known)

    def open_final(self) -> None:
        lab, study = self.shop.lab, self.study
        results = self.results(study)
        lab.journal.append("keep.analysed", slug=self.slug, sha256=analyse(study, results).digest())
        open_final(self.shop.bench, study, results, self.folder, lab.journal)

    def analyse(self) -> None:
        study = self.study
        final = read_json(FinalScores, self.folder / "final.json")
        write_atomic(self.folder / "analysis.json", analyse(study, self.results(study), final).canonical())

    def find_facts(self) -> None:
        study = self.study
        idea = read_idea(self.folder / "idea.md")
        facts = build_facts(self.folder, self.shop.template, idea, study, self.analysis, self.results(study))
        write_atomic(self.folder / "facts.json", facts.canonical())

    def write(self) -> None:
        study, analysis, template = self.study, self.analysis, self.shop.template
        idea = read_idea(self.folder / "idea.md")
        results = self.results(study)
        final = read_json(FinalScores, self.folder / "final.json")
        sandbox, gaps = self._isolation()
        material = Material(
            template=template,
            idea=idea,
            study=study,
            analysis=analysis,
            results=results,
            facts=read_json(Facts, self.folder / "facts.json"),
            novelty=read_json(Novelty, self.folder / "novelty.json"),
            figures=draw_figures(self.folder, template, idea, study, analysis, final, results),
            sandbox=sandbox,
            sandbox_gaps=gaps,
            roles=self.roles,
            executor=self.shop.lab.settings.executor,
            look=partial(picture_figures, self.folder, template, idea, study, analysis, final, results),
        )
        writer = self.shop.cast.writer(self.slug)
        manuscript = writer.write(material)
        if isinstance(writer, ModelWriter) and (looked := writer.look(material)) is not None:
            write_atomic(self.folder / LOOKED, looked.canonical())
            for one in looked.defects:
                self.shop.progress.note(
                    f"{self.slug}: figure {one.figure}, as {looked.by} sees it: {one.problem}: {one.what}"
                )
        write_atomic(self.folder / "manuscript.json", manuscript.canonical())

    def _isolation(self) -> tuple[str, tuple[str, ...]]:
        """What kept the runs of this paper to themselves where they were executed, and what that does not cover."""
        name, gaps = isolation_of(read_usages(self.folder))
        if gaps:
            return name, gaps
        here = choose_sandbox(self.shop.lab.settings.sandbox)  # runs of an older version, which did not say
        return here.name, here.gaps

    def build(self) -> None:
        context = load_context(self.folder)
        tex, bib = build_tex(context), to_bibtex(context.references)
        rests_on = find_citations(context.manuscript, context.references, context.facts)
        write_atomic(self.folder / CITATIONS, rests_on.canonical())
        write_atomic(self.folder / "references.bib", bib)
        write_atomic(self.folder / "paper.tex", tex)
        if self.shop.pdf:
            made = compile_pdf(self.folder, tex, bib, [figure.file for figure in context.manuscript.figures])
            for problem in made.problems:
                self.shop.progress.note(f"{self.slug}: LaTeX says {problem}")

    def list_files(self) -> None:
        study = self.study
        sandbox, gaps = self._isolation()
        manifest = make_manifest(
            self.folder,
            study,
            self.results(study),
            self.shop.template.packages,
            sandbox,
            gaps,
            {**self.roles, **read_json(Manuscript, self.folder / "manuscript.json").roles},
            approved_by=self.idea.note if self.idea.status == "approved" else "",
            executor=self.shop.lab.settings.executor,
        )
        write_atomic(self.folder / "manifest.json", manifest.canonical())
        manifest_hash = sha256_file(self.folder / "manifest.json")
        self.shop.lab.journal.append("paper.built", slug=self.slug, manifest=manifest_hash)

    def check(self) -> None:
        # The figures were drawn a moment ago by the same code; `scientist audit` draws them again, later and elsewhere.
        rebuild = replace(rebuild_with(self.shop.template), draw=None)
        found = audit(self.folder, rebuild=rebuild, lab=self.shop.lab.root)
        write_atomic(self.folder / "audit.json", found.canonical())

    def review(self) -> None:
        second = self.shop.cast.second_reviewer(self.slug)
        if second is not None:  # first, because the review by rules marks the stage as done
            write_atomic(self.reviews / second.file, second.review(self.folder).canonical())
        reviewer = self.shop.cast.reviewer(self.slug)
        review = reviewer.review(self.folder, self.shop.template)
        write_atomic(self.reviews / f"{reviewer.name}.json", review.canonical())

    def learn(self) -> None:
        review = read_json(Review, self.reviews / "heuristic.json")
        idea = read_idea(self.folder / "idea.md")
        lessons = lessons_from(review, self.study, self.analysis, idea, self.shop.template, self.round)
        second = self.shop.cast.second_reviewer(self.slug)
        if second is not None and (self.reviews / second.file).is_file():
            panel = read_json(Panel, self.reviews / second.file)
            where = (self.study, self.analysis, idea, self.shop.template, self.round)
            lessons = with_lessons_of(lessons, panel, second.file, *where)
        write_atomic(self.reviews / "lessons.json", lessons.canonical())


@dataclass
class Stage:
    """A name, the artefacts that mark it done, the work, and what else to clear when it is done again."""

    name: str
    artefacts: list[Path]
    work: Callable[[], None]
    model: type[Record] | None = None
    done: Callable[[], bool] | None = None
    extra: list[Path] = field(default_factory=list)

    def is_done(self) -> bool:
        """The artefacts are there, and the record among them can be read."""
        if self.done is not None:
            return self.done()
        if not all(path.is_file() and path.stat().st_size for path in self.artefacts):
            return False
        if self.model is not None:
            try:
                read_json(self.model, self.artefacts[-1])
            except RecordError:
                return False
        return True

    def clear(self) -> None:
        """Remove what the stage left, so that nothing after a redone stage can look done."""
        for path in (*self.artefacts, *self.extra):
            remove_tree(path)


def rebuild_with(template: Template) -> Rebuild:
    """The functions with which an audit recomputes a paper from its runs."""
    return Rebuild(template=template, analyse=analyse, build_facts=build_facts, build_tex=build_tex, draw=draw_figures)
