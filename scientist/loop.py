"""One round, told on one page: propose, check novelty, select, experiment, write, review, learn.

Artefacts are the checkpoints: what is there and valid is not done again, so running a campaign a second time continues
it, and deleting an artefact redoes its stage and those after it.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from scientist._cast import BY_RULES, Cast
from scientist._literature import lab_sources
from scientist._stages import PaperInProgress, Stage, Workshop, waiting_stage
from scientist.errors import AlarmError, LabError, LatexError, ScientistError, Stopped, StudyError
from scientist.ideas import (
    Choice,
    Idea,
    Lesson,
    Lessons,
    Proposer,
    active_lessons,
    check_novelty,
    check_round,
    load_backlog,
    load_lessons,
    select,
    set_status,
    why_known,
    write_idea,
)
from scientist.lab import Lab, Record, read_json, write_atomic
from scientist.literature import Novelty, outages
from scientist.papers import APT_LINE, Audit, Facts, Manuscript, find_engine, plain
from scientist.progress import Progress, Silent
from scientist.reviews import Review
from scientist.search import Archive
from scientist.template import Template, describe_found, load_template

PROPOSALS_PER_PAPER = 3
"""New ideas asked for per paper of a round; together with the backlog they give selection something to choose from."""


class Campaign(Record):
    """`campaigns/<id>/campaign.json`: what was asked for."""

    schema_version: Literal[1] = 1
    id: str
    template: str = Field(description="folder of the template")
    rounds: int
    ideas: int
    seed: int
    feedback: bool
    seeds: int | None = Field(default=None, description="most seeds per variant that were asked for")
    model: str = Field(default="", description="who plays the roles, 'provider/name'; empty: rules do")


class RoundPlan(Record):
    """`campaigns/<id>/round-<n>.json`: what a round proposed and chose, and why; written before any of it is done."""

    schema_version: Literal[1] = 1
    number: int
    lessons: tuple[Lesson, ...] = Field(description="the lessons that were in force")
    proposed: tuple[Idea, ...]
    novelty: dict[str, Novelty]
    choices: tuple[Choice, ...]


class Failure(Record):
    """`papers/<slug>/failure.json`: why a paper ended without one. Deleting it tries again."""

    schema_version: Literal[1] = 1
    slug: str
    stage: str
    reason: str


class Raised(Record):
    """`.scientist/raised/<slug>.json`: the failure that ended a campaign at a stage of a paper."""

    schema_version: Literal[1] = 1
    stage: str
    kind: str
    message: str
    remedy: str


class PaperSummary(Record):
    """What a campaign tells about one paper when it ends."""

    slug: str
    round: int
    title: str
    finding: str
    overall: int | None
    decision: str
    errors: int | None
    pdf: str
    because: tuple[str, ...] = Field(description="what is different because of an earlier review")
    failure: str = ""
    by_rules: tuple[str, ...] = Field(default=(), description="steps for which a model was asked and that rules took")


def steps_by_rules(lab: Lab, slug: str, number: int) -> tuple[str, ...]:
    """What rules did in the place of a model that was asked, for one paper and the ideas of its round: 'who, what: why'."""
    mine = [row for row in _by_rules(lab) if row["slug"] == slug or row["step"] == f"ideas of round {number}"]
    return tuple(f"{row['role']}, {row['step']}: {row['why']}" for row in mine)


def told_by_rules(lab: Lab) -> list[str]:
    """All of them, of every paper of a lab, with the paper's name."""
    return [f"{row['slug'] or 'planning'}: {row['role']}, {row['step']}: {row['why']}" for row in _by_rules(lab)]


def _by_rules(lab: Lab) -> list[dict[str, str]]:
    """The journal's rows; of a step that was done again the last one."""
    rows = [entry["data"] for entry in lab.journal.find(BY_RULES)]
    return list({(row["slug"], row["role"], row["step"]): row for row in rows}.values())


def campaign_for(lab: Lab, template: Template) -> Campaign:
    """The campaign that the settings ask for. Its id leaves out the number of rounds: asking for more continues it.

    It names the model that proposes, if one does.
    """
    s = lab.settings
    name = f"{template.name}-{s.ideas}-ideas-seed-{s.seed}{'' if s.feedback else '-no-feedback'}"
    if proposer := Cast(lab, Silent()).played_by("proposer"):
        name += f"-{re.sub('[^a-z0-9]+', '-', proposer.lower()).strip('-')}"
    root = template.root
    place = os.path.relpath(root, lab.root)  # a lab that is moved together with its templates keeps working
    return Campaign(
        id=name,
        template=str(place),
        rounds=s.rounds,
        ideas=s.ideas,
        seed=s.seed,
        feedback=s.feedback,
        seeds=s.seeds,
        model=s.model,
    )


def run_campaign(
    lab: Lab,
    campaign: Campaign,
    progress: Progress,
    *,
    pdf: bool = True,
    proposer: Proposer | None = None,
) -> list[PaperSummary]:
    """All rounds of a campaign under the lab's lock. Raises typed errors; what was done until then is kept."""
    if pdf and find_engine() is None:
        raise LatexError("no LaTeX found", f"as root: {APT_LINE}; or pass --no-pdf")
    template = load_template(lab.root / campaign.template)
    cast = Cast(lab, progress, lab_sources(lab))
    cast.ready()
    for line in (*cast.forecast(campaign.rounds, campaign.ideas), *describe_found(template)):
        progress.note(line)
    with lab.lock():
        folder = lab.campaigns / campaign.id
        if not (folder / "campaign.json").exists():
            lab.journal.append("campaign.started", id=campaign.id, template=campaign.template)
        write_atomic(folder / "campaign.json", campaign.canonical())
        with Workshop(lab, template, progress, cast, pdf).open() as shop:
            for number in range(1, campaign.rounds + 1):
                run_round(shop, campaign, number, proposer or cast.proposer())
        if not lab.journal.find("campaign.done", id=campaign.id, rounds=campaign.rounds):
            lab.journal.append("campaign.done", id=campaign.id, rounds=campaign.rounds)
    return summarise(lab, campaign)


def run_round(shop: Workshop, campaign: Campaign, number: int, proposer: Proposer) -> None:
    """One round: plan it (or read the plan), then make the chosen papers one after the other."""
    lab = shop.lab
    path = lab.campaigns / campaign.id / f"round-{number}.json"
    if path.exists():
        plan = read_json(RoundPlan, path)
    else:
        shop.progress.stage("", f"planning round {number}")
        plan = plan_round(shop, campaign, number, proposer)
        write_atomic(path, plan.canonical())
        lab.journal.append("round.planned", campaign=campaign.id, round=number, papers=[c.slug for c in plan.choices])
    for idea in plan.proposed:
        if not (lab.ideas / f"{idea.slug}.md").exists():
            write_idea(lab.ideas, idea)
    for slug, novelty in plan.novelty.items():
        if novelty.verdict == "known":
            _mark(lab, slug, "known", why_known(novelty))
    backlog = load_backlog(lab.ideas)
    for choice in plan.choices:
        lab.check_stop()
        make_paper(PaperInProgress(shop, backlog.find(choice.slug), plan.novelty[choice.slug], number))


def plan_round(shop: Workshop, campaign: Campaign, number: int, proposer: Proposer) -> RoundPlan:
    """Propose from template, lessons and archive; check every candidate's novelty; select by stated rules."""
    lab, template, settings = shop.lab, shop.template, shop.lab.settings
    backlog = load_backlog(lab.ideas)
    for _, problem in backlog.broken:
        shop.progress.note(f"skipped {problem}")
    lessons: tuple[Lesson, ...] = ()
    if campaign.feedback:
        lessons = active_lessons(
            load_lessons(lab.reviews), template.name, number, settings.lessons, settings.lesson_rounds
        )
    archive = Archive.load(lab.papers)
    count = PROPOSALS_PER_PAPER * campaign.ideas
    proposed = proposer.propose(template, backlog, lessons, archive, count, campaign.seed, number)
    open_ideas = [i for i in backlog.with_status("proposed", "approved") if i.template == template.name]
    done, rejected = backlog.with_status("done", "failed"), backlog.with_status("rejected")
    sources, reader = lab_sources(lab), shop.cast.reader()

    def check(idea: Idea, others: Sequence[Idea]) -> Novelty:
        beside = (*others, *rejected)
        return check_novelty(idea, template, beside, done, sources, settings.literature_deadline, reader)

    proposed, novelty = check_round(open_ideas, proposed, check, proposer)
    for line in outages(one for found in novelty.values() for one in found.searched):
        shop.progress.note(f"literature: {line}")
    choices = select([*open_ideas, *proposed], novelty, lessons, archive, campaign.ideas, campaign.seed, template)
    return RoundPlan(number=number, lessons=lessons, proposed=tuple(proposed), novelty=novelty, choices=tuple(choices))


def make_paper(paper: PaperInProgress) -> None:
    """Every stage that is not done, in order. A study that cannot be made ends the paper, not the campaign."""
    failure = paper.folder / "failure.json"
    if failure.exists():
        return
    stages = paper.stages()
    first = next((index for index, stage in enumerate(stages) if not stage.is_done()), None)
    if first is None:
        _finish(paper)
        return
    for later in reversed(stages[first + 1 :]):
        later.clear()
    for stage in stages[first:]:
        paper.shop.lab.check_stop()
        paper.shop.progress.stage(paper.slug, _called(stage.name, paper.shop.template))
        try:
            _work(paper, stage)
        except AlarmError as error:
            _record_alarm(paper, stage.name, error)
            raise
        except StudyError as error:
            if stage.name not in ("code", "study"):
                raise
            record = Failure(slug=paper.slug, stage=stage.name, reason=error.message)
            write_atomic(failure, record.canonical())
            _mark(paper.shop.lab, paper.slug, "failed", error.message)
            paper.shop.progress.note(f"{paper.slug} failed: {error.message}")
            _learn_from_failure(paper, error.message)
            return
    _finish(paper)


def _work(paper: PaperInProgress, stage: Stage) -> None:
    """Do a stage; what it raises is kept for `scientist diagnose` until it is begun again."""
    kept = raised_path(paper.shop.lab, paper.slug)
    kept.unlink(missing_ok=True)
    try:
        stage.work()
    except Stopped:
        raise
    except ScientistError as error:
        record = Raised(stage=stage.name, kind=type(error).__name__, message=error.message, remedy=error.remedy)
        with contextlib.suppress(LabError):  # the disk may be what failed
            write_atomic(kept, record.canonical())
        raise


def raised_path(lab: Lab, slug: str) -> Path:
    """Where the last failure of a paper's stage is kept."""
    return lab.private / "raised" / f"{slug}.json"


def _called(stage: str, template: Template) -> str:
    """What progress calls a stage: a template that holds nothing out has no final split to open."""
    return "closing the runs" if stage == "final" and "final" not in template.splits else stage


def _record_alarm(paper: PaperInProgress, stage: str, error: AlarmError) -> None:
    """The campaign halts; what passed a proven bound, and where it is kept, is journaled first."""
    lab, details = paper.shop.lab, dict(error.details)
    if "kept" in details:
        details["kept"] = os.path.relpath(details["kept"], lab.root)
    lab.journal.append("alarm.raised", slug=paper.slug, stage=stage, reason=error.message, **details)


def alarm_of(lab: Lab) -> dict[str, Any] | None:
    """What halted the newest campaign, as it was journaled; None when nothing did, or when work has gone on since."""
    last = None
    for entry in lab.journal.entries():
        last = entry
    return dict(last["data"]) if last is not None and last["event"] == "alarm.raised" else None


def _finish(paper: PaperInProgress) -> None:
    _mark(paper.shop.lab, paper.slug, "done", f"papers/{paper.slug}")


def _mark(lab: Lab, slug: str, status: Literal["done", "failed", "known"], note: str) -> None:
    idea = load_backlog(lab.ideas).find(slug)
    if idea.status != status:
        set_status(lab.ideas, slug, status, note)
        lab.journal.append(f"idea.{status}", slug=slug)


def _learn_from_failure(paper: PaperInProgress, reason: str) -> None:
    """A failure teaches too: the next proposals avoid what failed."""
    lesson = Lesson(
        id=f"{paper.slug}.failures",
        topic="failures",
        text=f"Could not be studied: {reason}"[:240],
        source=f"papers/{paper.slug}/failure.json",
        paper=paper.slug,
        template=paper.shop.template.name,
        round=paper.round,
    )
    write_atomic(paper.reviews / "lessons.json", Lessons(lessons=(lesson,)).canonical())


def summarise(lab: Lab, campaign: Campaign) -> list[PaperSummary]:
    """One summary per chosen paper, in order; papers not finished yet say so."""
    return [_summary(lab, choice.slug, plan.number) for plan in _plans(lab, campaign) for choice in plan.choices]


def _summary(lab: Lab, slug: str, number: int) -> PaperSummary:
    idea = load_backlog(lab.ideas).find(slug)
    folder = lab.paper(slug)
    finding, overall, decision, errors, failure = "not finished", None, "", None, ""
    if (folder / "failure.json").exists():
        failure = read_json(Failure, folder / "failure.json").reason
        finding = ""
    if (folder / "manuscript.json").exists() and (folder / "facts.json").exists():
        manuscript = read_json(Manuscript, folder / "manuscript.json")
        finding = plain(manuscript.finding, read_json(Facts, folder / "facts.json"))
    if (lab.reviews / slug / "heuristic.json").exists():
        review = read_json(Review, lab.reviews / slug / "heuristic.json")
        overall, decision = review.overall, review.decision
    if (folder / "audit.json").exists():
        errors = read_json(Audit, folder / "audit.json").errors
    pdf = folder / "paper.pdf"
    return PaperSummary(
        slug=slug,
        round=number,
        title=idea.title,
        finding=finding,
        overall=overall,
        decision=decision,
        errors=errors,
        pdf=_short(pdf) if pdf.exists() else "",
        because=tuple(f"{use.change} (because: {use.text})" for use in idea.lessons),
        failure=failure,
        by_rules=steps_by_rules(lab, slug, number),
    )


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def unfinished(lab: Lab) -> Sequence[Campaign]:
    """Campaigns that were started and not ended, or whose papers lack something since, newest first."""
    started = [entry["data"]["id"] for entry in lab.journal.find("campaign.started")]
    found = []
    for name in reversed(list(dict.fromkeys(started))):
        path = lab.campaigns / name / "campaign.json"
        if path.exists():
            campaign = read_json(Campaign, path)
            ended = lab.journal.find("campaign.done", id=name, rounds=campaign.rounds)
            papers = [choice.slug for plan in _plans(lab, campaign) for choice in plan.choices]
            if not ended or any(not _is_finished(lab, slug) for slug in papers):
                found.append(campaign)
    return found


def _plans(lab: Lab, campaign: Campaign) -> list[RoundPlan]:
    paths = [lab.campaigns / campaign.id / f"round-{number}.json" for number in range(1, campaign.rounds + 1)]
    return [read_json(RoundPlan, path) for path in paths if path.exists()]


def finished_papers(lab: Lab, campaign: Campaign) -> int:
    """How many papers of a campaign need no more work."""
    return sum(_is_finished(lab, choice.slug) for plan in _plans(lab, campaign) for choice in plan.choices)


def _is_finished(lab: Lab, slug: str) -> bool:
    """Nothing is missing, or the paper failed for good."""
    return (lab.paper(slug) / "failure.json").exists() or waiting_stage(lab, slug) is None


def paper_states(lab: Lab) -> dict[str, str]:
    """slug -> 'done', 'failed: ...', or the stage that comes next, from what lies in its folder."""
    states = {}
    for folder in sorted(path for path in lab.papers.glob("*") if path.is_dir()):
        if (folder / "failure.json").exists():
            states[folder.name] = f"failed: {read_json(Failure, folder / 'failure.json').reason}"
        else:
            stage = waiting_stage(lab, folder.name)
            states[folder.name] = f"waiting at {stage}" if stage else "done"
    return states
