"""Compiling: bounded, without a shell, the same bytes, and links that land."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from programs import needs_latex, needs_poppler

from scientist.errors import LabError, LatexError
from scientist.papers._build import build_tex, load_context
from scientist.papers._latex import APT_LINE, CompileResult, compile_pdf, find_engine, parse_log

FIGURES = ("figures/main.pdf", "figures/contrasts.pdf")
UNCOMPRESSED = r"\pdfcompresslevel=0 \pdfobjcompresslevel=0 "


@pytest.fixture(scope="session")
def compiled(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CompileResult]:
    """The sample paper as a PDF whose objects can be read as text."""
    if find_engine() != "pdflatex":
        pytest.skip("no pdflatex")
    folder = shutil.copytree(sample_folder, tmp_path_factory.mktemp("compiled") / "paper")
    tex = UNCOMPRESSED + build_tex(load_context(folder))
    return folder, compile_pdf(folder, tex, (folder / "references.bib").read_text(), FIGURES)


def document(body: str, preamble: str = "") -> str:
    return rf"\documentclass{{article}}{preamble}\begin{{document}}{body}\end{{document}}"


def test_the_sample_compiles_without_complaint(compiled: tuple[Path, CompileResult]) -> None:
    folder, result = compiled
    assert result.problems == ()
    assert all(points < 10 for points in result.overfull)
    assert 4 <= result.pages <= 9 and result.passes <= 4
    assert (folder / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert not list(folder.glob("*.aux")) and not list(folder.glob("*.log"))


@needs_latex
def test_two_compilations_are_byte_equal(
    compiled: tuple[Path, CompileResult], sample_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(sample_folder, tmp_path / "elsewhere" / "paper")
    tex = UNCOMPRESSED + build_tex(load_context(folder))
    compile_pdf(folder, tex, (folder / "references.bib").read_text(), FIGURES)
    assert (folder / "paper.pdf").read_bytes() == (compiled[0] / "paper.pdf").read_bytes()
    assert b"/CreationDate" not in (folder / "paper.pdf").read_bytes()


def destinations(pdf: Path) -> dict[str, tuple[int, float]]:
    """Named target -> page and height on it, from the top."""
    listing = subprocess.run(["pdfinfo", "-dests", str(pdf)], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^\s*(\d+) \[ XYZ\s+\S+\s+(\S+)\s+\S+\s*\] \"([^\"]+)\"", listing, re.MULTILINE)
    height = float(re.search(rb"/MediaBox \[0 0 [\d.]+ ([\d.]+)\]", pdf.read_bytes()).group(1))  # type: ignore[union-attr]
    return {name: (int(page), height - float(top)) for page, top, name in found}


@needs_poppler
def test_every_link_lands_on_its_row(compiled: tuple[Path, CompileResult]) -> None:
    folder, _ = compiled
    pdf = folder / "paper.pdf"
    targets = destinations(pdf)
    links = set(re.findall(rb"/S\s*/GoTo\s*/D\s*\(([^)]*)\)", pdf.read_bytes()))
    named = {link.decode() for link in links}
    assert len({link for link in named if link.startswith("ledger.")}) > 40
    assert len({link for link in named if link.startswith("use.")}) > 40
    assert named <= set(targets), sorted(named - set(targets))[:5]
    words = subprocess.run(["pdftotext", "-bbox", str(pdf), "-"], capture_output=True, text=True, check=True).stdout
    pages = words.split("<page ")[1:]
    for fact, shown in (
        ("c.dose_0_4.keep.abs", ".keep.abs"),
        ("study.n_seeds", "study.n_seeds"),
        ("v.label_noise_0.keep.accuracy.mean", ".keep.accuracy.mean"),
    ):
        page, top = targets[f"ledger.{fact}"]
        rows = re.findall(rf'yMin="([\d.]+)" xMax="[\d.]+" yMax="[\d.]+">{re.escape(shown)}<', pages[page - 1])
        assert any(0 <= float(height) - top < 9 for height in rows), f"the link to {fact} lands beside its row"


@needs_poppler
def test_values_sit_on_their_pages(compiled: tuple[Path, CompileResult]) -> None:
    folder, _ = compiled
    text = subprocess.run(
        ["pdftotext", "-layout", str(folder / "paper.pdf"), "-"], capture_output=True, text=True
    ).stdout
    facts = load_context(folder).facts.by_id()
    first = text.split("\f")[0]
    assert facts["c.dose_0_4.keep.abs"].text in first and facts["study.expected_power"].text in first
    assert "Holm (1979)" in text and "References" in text and "??" not in text
    assert "frozen study" in text and "timeout, stopped after 20 s" in text


@needs_latex
def test_a_file_outside_cannot_be_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.tex"
    secret.write_text("SECRET")
    with pytest.raises(LatexError, match=r"secret|openin|not found|File"):
        compile_pdf(tmp_path, document(rf"\input{{{secret}}}"))
    body = rf"\newread\r\openin\r={secret} \ifeof\r closed\else\errmessage{{it was open}}\fi"
    assert compile_pdf(tmp_path, document(body)).pages == 1


@needs_latex
def test_nothing_is_run_or_written_outside(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    compile_pdf(tmp_path, document(rf"\immediate\write18{{touch {mark}}}x"))
    with pytest.raises(LatexError):
        compile_pdf(tmp_path, document(rf"\newwrite\w\immediate\openout\w={mark} \immediate\write\w{{x}}x"))
    assert not mark.exists()


@needs_latex
def test_an_endless_document_is_stopped(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(LatexError, match="did not end within 1 s"):
        compile_pdf(tmp_path, document(r"\def\x{\x}\x"), wall_s=1)
    assert time.monotonic() - started < 10
    assert not (tmp_path / "paper.pdf").exists()


@needs_latex
@pytest.mark.skipif(not shutil.which("setpriv"), reason="no setpriv")
def test_a_killed_scientist_leaves_no_tex_behind(tmp_path: Path) -> None:
    endless = document(r"\def\x{\x}\x")
    code = f"import pathlib, scientist.papers as p; p.compile_pdf(pathlib.Path({str(tmp_path)!r}), {endless!r})"
    parent = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)})
    try:
        children: list[psutil.Process] = []
        deadline = time.monotonic() + 20
        while not children and time.monotonic() < deadline:
            time.sleep(0.02)
            children = [c for c in psutil.Process(parent.pid).children() if c.name() == "pdflatex"]
        assert children, "pdflatex never started"
    finally:
        parent.kill()
        parent.wait()
    assert psutil.wait_procs(children, timeout=5)[1] == []


@needs_latex
def test_an_error_names_its_line_and_keeps_the_old_pdf(tmp_path: Path) -> None:
    (tmp_path / "paper.pdf").write_bytes(b"old")
    with pytest.raises(LatexError, match=r"line 2.*Undefined control sequence \\nosuchthing") as caught:
        compile_pdf(tmp_path, "\\documentclass{article}\\begin{document}\n\\nosuchthing\n\\end{document}")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "paper.pdf").read_bytes() == b"old"


@needs_latex
def test_a_missing_package_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(LatexError, match="apt-get install"):
        compile_pdf(tmp_path, document("x", r"\usepackage{nosuchpackage}"))


@needs_latex
def test_undefined_references_citations_and_wide_lines_are_problems(tmp_path: Path) -> None:
    body = (
        r"\ref{sec:gone} \cite{gone} \bibliographystyle{plain}\bibliography{references} \par\noindent\rule{600pt}{1pt}"
    )
    result = compile_pdf(tmp_path, document(body), "@misc{other, title={Other}}")
    text = "; ".join(result.problems)
    assert "reference 'sec:gone'" in text and "citation 'gone'" in text and "'gone' is not in references.bib" in text
    assert "sticks out" in text and max(result.overfull) > 100


@needs_latex
def test_names_from_anywhere_can_be_set(tmp_path: Path) -> None:
    bib = "@misc{a, author={Šmíd, Jiří and 李, 明 and Ωmega, α}, title={On the β of Łódź – 50\\,\\%}, year={2020}}"
    tex = document(
        r"\cite{a}\bibliographystyle{plain}\bibliography{references}",
        r"\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\usepackage{lmodern}",
    )
    assert compile_pdf(tmp_path, tex, bib).problems == ()


def test_without_latex_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_engine() is None
    with pytest.raises(LatexError) as caught:
        compile_pdf(tmp_path, document("x"))
    assert APT_LINE in str(caught.value) and "\n" not in str(caught.value) and caught.value.exit_code == 7


def test_tectonic_is_used_when_it_is_all_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "tectonic"
    tool.parent.mkdir()
    tool.write_text(
        "#!/bin/sh\nprintf '%%PDF-1.5' > paper.pdf; echo 'Output written on paper.pdf (3 pages)' > paper.log\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent))
    result = compile_pdf(tmp_path, document("x"))
    assert (result.engine, result.pages) == ("tectonic", 3)
    tool.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(LatexError, match="bundle"):
        compile_pdf(tmp_path, document("x"))


@pytest.mark.parametrize("figure", ["../secret.pdf", "/etc/passwd"])
@needs_latex
def test_figures_stay_in_the_folder(tmp_path: Path, figure: str) -> None:
    with pytest.raises(LabError, match="outside"):
        compile_pdf(tmp_path, document("x"), figures=(figure,))


@needs_latex
def test_a_missing_figure_is_named(tmp_path: Path) -> None:
    with pytest.raises(LatexError, match=r"figures/gone\.pdf does not exist"):
        compile_pdf(tmp_path, document("x"), figures=("figures/gone.pdf",))


@needs_latex
def test_the_environment_is_scrubbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hooked = tmp_path / "texmf" / "tex" / "latex" / "article.cls"
    hooked.parent.mkdir(parents=True)
    hooked.write_text(r"\errmessage{the user's own tree was read}")
    monkeypatch.setenv("TEXMFHOME", str(tmp_path / "texmf"))
    monkeypatch.setenv("TEXINPUTS", f"{hooked.parent}{os.pathsep}")
    assert compile_pdf(tmp_path, document("x")).pages == 1


def test_a_log_is_read() -> None:
    log = parse_log(
        "./paper.tex:12: Undefined control sequence.\n"
        "LaTeX Warning: Reference `tab:x' on page 3 undefined on input line 9.\n"
        "Package natbib Warning: Citation `y' on page 1 undefined on input line 3.\n"
        "Overfull \\hbox (3.5pt too wide) in paragraph at lines 1--2\n"
        "Overfull \\hbox (33.5pt too wide) in paragraph at lines 4--5\n"
        "pdfTeX warning (ext4): destination with the same identifier (name{use.a.1}) has been already used\n"
        "LaTeX Warning: Label(s) may have changed. Rerun to get cross-references right.\n"
        "Output written on paper.pdf (7 pages, 1234 bytes).\n"
    )
    assert log.errors == ("line 12: Undefined control sequence.",)
    assert log.problems[:2] == ("reference 'tab:x' is undefined", "citation 'y' is undefined")
    assert "use.a.1" in log.problems[2] and "33.5 pt" in log.problems[3] and len(log.problems) == 4
    assert (log.overfull, log.pages, log.rerun) == ((3.5, 33.5), 7, True)
