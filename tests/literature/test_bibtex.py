"""BibTeX is written from records only, survives a round trip, and never hands a stranger's text to LaTeX as commands."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pybtex.database import parse_string

from scientist.literature import Reference, escape, packaged_library, to_bibtex
from scientist.literature._bibtex import printable
from scientist.literature._library import parse_bibtex


def reference(**fields) -> Reference:
    return Reference(**{"key": "x2020", "title": "T", "authors": ("A. B",), "source": "arxiv"} | fields)


def test_the_packaged_library_survives_a_round_trip_with_every_field() -> None:
    works = packaged_library().references
    again = {work.key: work for work in parse_bibtex(to_bibtex(works, full=True), "again.bib")}
    assert [again[work.key] for work in works] == list(works)


def test_the_bytes_depend_on_nothing_but_the_records() -> None:
    works = list(packaged_library().references)
    text = to_bibtex(works)
    assert text == to_bibtex(reversed(works)) == to_bibtex(works + works)
    keys = [line.split("{")[1].rstrip(",") for line in text.splitlines() if line.startswith("@")]
    assert keys == sorted(keys)


def test_only_what_a_bibliography_prints_is_written_unless_asked() -> None:
    work = reference(abstract="SECRET abstract", gist="showed SECRET", topics=("svm",))
    assert "SECRET" not in to_bibtex([work]) and "svm" not in to_bibtex([work])
    assert to_bibtex([work], full=True).count("SECRET") == 2


def test_a_reference_without_authors_is_a_note_as_printed() -> None:
    work = reference(
        authors=(), title="", raw="Conover, W.J. & others: 100% nonparametric_statistics, 1971.", year=1971
    )
    (entry,) = parse_string(to_bibtex([work]), "bibtex").entries.values()
    assert entry.type == "misc" and set(entry.fields) == {"key", "note", "year"}
    assert entry.fields["note"] == r"Conover, W.J. \& others: 100\% nonparametric\_statistics, 1971."


@given(st.text(max_size=60), st.text(min_size=1, max_size=30), st.text(max_size=30))
@example("}} \\input{/etc/passwd} {{", "A and B, {C}", '50% & _ # $ ~ ^ \\ "')
@example("@article{y, title={z}}", "and", "%")
def test_any_text_stays_inside_its_field(title: str, author: str, venue: str) -> None:
    work = reference(title=title, authors=(author,), venue=venue, raw=title)
    database = parse_string(to_bibtex([work], full=True), "bibtex")
    assert list(database.entries) == ["x2020"]
    for value in database.entries["x2020"].fields.values():
        depth = 0
        for char in value:
            depth += (char == "{") - (char == "}")
            assert depth >= 0
        assert depth == 0
    assert len(database.entries["x2020"].persons.get("author", [1])) == 1


@given(st.text(max_size=80))
def test_escaped_text_has_no_live_special_character(text: str) -> None:
    written = escape(text)
    for command in (
        "textbackslash",
        "textbraceleft",
        "textbraceright",
        "textasciicircum",
        "textasciitilde",
        "textquotedbl",
    ):
        written = written.replace(f"{{\\{command}}}", "")
    for char in "&%$#_":
        written = written.replace(f"\\{char}", "")
    assert not set(written) & set('\\{}&%$#_^~"')


@given(st.text(alphabet="aé ß&%_#$~^\\{}Žx", min_size=1, max_size=40))
def test_what_can_be_printed_survives_a_round_trip(text: str) -> None:
    wanted = " ".join(printable(text).split())
    if wanted:
        (again,) = parse_bibtex(to_bibtex([reference(title=wanted)]), "again.bib")
        assert again.title == wanted


def test_what_no_font_has_is_replaced() -> None:
    assert printable("β-VAE für 数据 é ħ 𝛼 — “x” ﬁt") == "beta-VAE für ?? é ? alpha --- ``x'' fit"


def test_addresses_cannot_carry_commands() -> None:
    text = to_bibtex([reference(url="https://x.org/a{b}\\input{c} d", doi="10.1/<a>{b}")])
    assert "https://x.org/a%7Bb%7D%5Cinput%7Bc%7D%20d" in text and "10.1/%3Ca%3E%7Bb%7D" in text


@pytest.mark.skipif(not shutil.which("pdflatex") or not shutil.which("bibtex"), reason="no LaTeX here")
def test_latex_prints_the_library_and_hostile_records_without_a_complaint(tmp_path: Path) -> None:
    hostile = [
        reference(
            key="evil2024",
            title="}} \\input{/etc/passwd} {{ 50% \u202e 数 ħ β",
            authors=("A and B, {C}", "\\write18{x}"),
        ),
        reference(key="note1971", title="", authors=(), raw="100% \\catcode`\\%=12 {", year=1971),
        reference(key="link2000", url="https://x.org/a_b%20c#d~e&f=1", doi="10.1/a_b#c"),
    ]
    works = [*packaged_library().references, *hostile]
    (tmp_path / "r.bib").write_text(to_bibtex(works))
    (tmp_path / "p.tex").write_text(
        r"""\documentclass{article}\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\usepackage{lmodern,textcomp}
\usepackage[numbers]{natbib}\usepackage{url}\usepackage{hyperref}\begin{document}\nocite{*}\citet{note1971} \citet{breiman2001}
\bibliographystyle{plainnat}\bibliography{r}\end{document}"""
    )
    latex = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "p"]
    for command in (latex, ["bibtex", "p"], latex, latex):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, errors="replace")
        assert done.returncode == 0, done.stdout[-1500:]
    log = (tmp_path / "p.log").read_text(errors="replace")
    assert "Undefined control sequence" not in log and "root:" not in log
    assert (tmp_path / "p.pdf").stat().st_size > 20_000
    assert "error" not in (tmp_path / "p.blg").read_text().lower().replace("(error", "")
