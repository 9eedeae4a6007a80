"""Options that several commands share, so that they are named and explained the same way everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# An empty metavar: a switch takes no value, and its row in the help should not look as if it did.
Json = Annotated[bool, typer.Option("--json", metavar="", help="Answer with one JSON document.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", metavar="", help="No progress on standard error.")]
NoPdf = Annotated[bool, typer.Option("--no-pdf", metavar="", help="Stop at paper.tex; needs no LaTeX.")]
Slug = Annotated[str, typer.Argument(help="Slug of the idea, or its beginning.")]
Paper = Annotated[str, typer.Argument(help="Slug of a paper of the lab (or its beginning), or a paper's folder.")]
Note = Annotated[str, typer.Option(help="Why; kept in the file and in the journal.")]
TemplateOption = Annotated[Path | None, typer.Option("--template", "-t", help="Folder or name of the template.")]
TemplateArgument = Annotated[Path, typer.Argument(help="Folder or name of the template.")]
