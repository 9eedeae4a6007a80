"""Facts, figures, manuscript, LaTeX, audit and trace: papers whose every number has a run."""

from scientist.papers._audit import Rebuild, audit
from scientist.papers._build import BuildContext, build_tex, load_context
from scientist.papers._citations import CITATIONS, Citations, Cited, find_citations
from scientist.papers._facts import build_facts, escape
from scientist.papers._figure_look import LOOKED, LookedAt
from scientist.papers._figures import draw_figures, picture_figures
from scientist.papers._fragments import plain
from scientist.papers._kinds import constant, keep_baseline
from scientist.papers._latex import APT_LINE, compile_pdf, find_engine
from scientist.papers._machinery import isolation_of, read_usages
from scientist.papers._manifest import make_manifest
from scientist.papers._model_writer import ModelWriter
from scientist.papers._records import Audit, Fact, Facts, Figure, Finding, Manifest, Manuscript, Section, Table
from scientist.papers._trace import Trace, trace
from scientist.papers._writer import HeuristicWriter, Material, Writer

__all__ = [
    "APT_LINE",
    "CITATIONS",
    "LOOKED",
    "Audit",
    "BuildContext",
    "Citations",
    "Cited",
    "Fact",
    "Facts",
    "Figure",
    "Finding",
    "HeuristicWriter",
    "LookedAt",
    "Manifest",
    "Manuscript",
    "Material",
    "ModelWriter",
    "Rebuild",
    "Section",
    "Table",
    "Trace",
    "Writer",
    "audit",
    "build_facts",
    "build_tex",
    "compile_pdf",
    "constant",
    "draw_figures",
    "escape",
    "find_citations",
    "find_engine",
    "isolation_of",
    "keep_baseline",
    "load_context",
    "make_manifest",
    "picture_figures",
    "plain",
    "read_usages",
    "trace",
]
