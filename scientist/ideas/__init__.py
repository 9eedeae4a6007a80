"""Ideas: the backlog, who proposes, whether it is new, what is pursued, and what reviews taught."""

from scientist.ideas._idea import (
    Comparison,
    Design,
    DoseResponse,
    Expect,
    Idea,
    Interaction,
    Knobs,
    LessonUse,
    Modification,
    Robustness,
    Status,
    Transfer,
    Tuning,
    parse_idea,
    read_idea,
    render_idea,
    write_idea,
)
from scientist.ideas._lessons import Lesson, Lessons, Topic, active_lessons, load_lessons, standing

# isort: split
from scientist.ideas._backlog import Backlog, add_idea, find_idea, load_backlog, set_status
from scientist.ideas._checking import check_round, why_known
from scientist.ideas._exchange import UNMATCHED, Imported, export_ideas, import_ideas
from scientist.ideas._model_claims import ModelReader, rechecked
from scientist.ideas._model_proposer import ModelProposer
from scientist.ideas._novelty import check_novelty
from scientist.ideas._proposer import HeuristicProposer, Proposer
from scientist.ideas._selection import Choice, eligible, rank, select
from scientist.ideas._similarity import design_similarity, knobs_of

__all__ = [
    "UNMATCHED",
    "Backlog",
    "Choice",
    "Comparison",
    "Design",
    "DoseResponse",
    "Expect",
    "HeuristicProposer",
    "Idea",
    "Imported",
    "Interaction",
    "Knobs",
    "Lesson",
    "LessonUse",
    "Lessons",
    "ModelProposer",
    "ModelReader",
    "Modification",
    "Proposer",
    "Robustness",
    "Status",
    "Topic",
    "Transfer",
    "Tuning",
    "active_lessons",
    "add_idea",
    "check_novelty",
    "check_round",
    "design_similarity",
    "eligible",
    "export_ideas",
    "find_idea",
    "import_ideas",
    "knobs_of",
    "load_backlog",
    "load_lessons",
    "parse_idea",
    "rank",
    "read_idea",
    "rechecked",
    "render_idea",
    "select",
    "set_status",
    "standing",
    "why_known",
    "write_idea",
]
