"""Ideas made testable, run in a sandbox, judged outside the candidate, and analysed as declared."""

from scientist.experiments._bench import Bench, Outcome
from scientist.experiments._cells import known_runs, read_results, run_cells, run_key, run_study
from scientist.experiments._cgroups import detect_cgroups
from scientist.experiments._cheats import CheatRow, ensure_contained, run_cheats
from scientist.experiments._code import (
    apply_diff,
    apply_edits,
    check_code,
    code_folder,
    diff_of,
    load_code,
    parse_edits,
)
from scientist.experiments._coding_cli import CliExperimenter, CodingProgram, coding_program
from scientist.experiments._conduct import freeze, frozen_study, open_final, pilot, plan_study
from scientist.experiments._design import compile_design, identifier
from scientist.experiments._early import declare_early_stop, futile_contrasts, stopped_variants
from scientist.experiments._estimates import contrast_values, scores_by_split, tidy
from scientist.experiments._executor import Ending, Executor, Limits, LocalExecutor
from scientist.experiments._experimenter import (
    VARIANT,
    Change,
    CodeTry,
    Experimenter,
    HeuristicExperimenter,
    ModelExperimenter,
    TryOut,
    make_change,
)
from scientist.experiments._failures import (
    FailedRun,
    FailedStep,
    StageRuns,
    grouped,
    place_of,
    printable,
    read_ended,
    read_tries,
    told_step,
)
from scientist.experiments._judge import Judge
from scientist.experiments._landlock import SCOPE_ABI
from scientist.experiments._mend import Broken, MendTry, described, find_mend, read_cause, redo
from scientist.experiments._power import power_of, sd_upper_limit, seeds_for, seeds_needed
from scientist.experiments._ray import RayExecutor
from scientist.experiments._relay_calls import CallMeter
from scientist.experiments._results import (
    Analysis,
    ContrastEstimate,
    ContrastResult,
    Estimate,
    FinalScores,
    RunResult,
    Usage,
    VariantSummary,
    Verdict,
)
from scientist.experiments._sandbox import Sandbox, bubblewrap_works, choose_sandbox, landlock_works
from scientist.experiments._statistics import analyse, holm, paired
from scientist.experiments._study import Contrast, EarlyStop, Pilot, Study, Tuner, Variant
from scientist.experiments._suspicion import suspicious
from scientist.experiments._template_check import Finding, TemplateReport, check_template

__all__ = [
    "SCOPE_ABI",
    "VARIANT",
    "Analysis",
    "Bench",
    "Broken",
    "CallMeter",
    "Change",
    "CheatRow",
    "CliExperimenter",
    "CodeTry",
    "CodingProgram",
    "Contrast",
    "ContrastEstimate",
    "ContrastResult",
    "EarlyStop",
    "Ending",
    "Estimate",
    "Executor",
    "Experimenter",
    "FailedRun",
    "FailedStep",
    "FinalScores",
    "Finding",
    "HeuristicExperimenter",
    "Judge",
    "Limits",
    "LocalExecutor",
    "MendTry",
    "ModelExperimenter",
    "Outcome",
    "Pilot",
    "RayExecutor",
    "RunResult",
    "Sandbox",
    "StageRuns",
    "Study",
    "TemplateReport",
    "TryOut",
    "Tuner",
    "Usage",
    "Variant",
    "VariantSummary",
    "Verdict",
    "analyse",
    "apply_diff",
    "apply_edits",
    "bubblewrap_works",
    "check_code",
    "check_template",
    "choose_sandbox",
    "code_folder",
    "coding_program",
    "compile_design",
    "contrast_values",
    "declare_early_stop",
    "described",
    "detect_cgroups",
    "diff_of",
    "ensure_contained",
    "find_mend",
    "freeze",
    "frozen_study",
    "futile_contrasts",
    "grouped",
    "holm",
    "identifier",
    "known_runs",
    "landlock_works",
    "load_code",
    "make_change",
    "open_final",
    "paired",
    "parse_edits",
    "pilot",
    "place_of",
    "plan_study",
    "power_of",
    "printable",
    "read_cause",
    "read_ended",
    "read_results",
    "read_tries",
    "redo",
    "run_cells",
    "run_cheats",
    "run_key",
    "run_study",
    "scores_by_split",
    "sd_upper_limit",
    "seeds_for",
    "seeds_needed",
    "stopped_variants",
    "suspicious",
    "tidy",
    "told_step",
]
