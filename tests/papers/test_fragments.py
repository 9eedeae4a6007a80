"""Fragments: what a writer may say, how it is cut, and what a terminal shows of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.papers._fragments import (
    FragmentError,
    check_latex,
    escape,
    free_digits,
    parse,
    plain,
    readable,
    sentences,
)
from scientist.papers._records import Fact
from scientist.papers._unicode import set_text, settable

pieces = st.sampled_from(
    [
        r"\val{v.a.keep.mean}", r"\calc{round(100 * v.a.keep.mean, 1)}{in per cent}", r"\citet{holm1979}", "$R^2$", "{", "}",
        r"\ref{tab:main}", "The score fell. ", "e.g. this", " ", "\n\n", "\\", "%", "$", r"\emph{no}", r"\item", "é", "3.5",
    ]
)  # fmt: skip


@given(st.lists(pieces, max_size=12).map("".join))
def test_tokens_and_sentences_give_the_fragment_back(fragment: str) -> None:
    try:
        tokens = parse(fragment)
    except FragmentError:
        assert check_latex(fragment)
        return
    assert "".join(token.source for token in tokens) == fragment
    assert [token.start for token in tokens] == [sum(len(t.source) for t in tokens[:i]) for i in range(len(tokens))]
    macros = [token for token in tokens if token.kind != "text"]
    assert [token for s in sentences(fragment) for token in s.tokens if token.kind != "text"] == macros


@given(st.text(max_size=60))
def test_the_checks_never_raise(text: str) -> None:
    check_latex(text)
    assert check_latex(escape(text.replace("\n", " "))) == []


def test_macros_and_their_arguments() -> None:
    tokens = parse(r"a \val{v.a\_b.mean} $p = \val{c.x.p}$ \calc{abs(c.x.mean)}{the {larger} one} \citep{a, b}")
    macros = [token for token in tokens if token.kind != "text"]
    assert [token.kind for token in macros] == ["val", "val", "calc", "cite"]
    assert macros[0].args == ("v.a_b.mean",)
    assert [token.math for token in macros] == [False, True, False, False]
    assert macros[2].args == ("abs(c.x.mean)", "the {larger} one")
    assert macros[3].keys == ("a", "b") and macros[3].command == "citep"


@pytest.mark.parametrize("broken", [r"\val", r"\val x", r"\val{x", r"\calc{a.b}", r"\calc{a.b} why", r"\cite[p. 3]{a}"])
def test_macros_without_their_arguments_are_errors(broken: str) -> None:
    with pytest.raises(FragmentError):
        parse(broken)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It fell, e.g. by half, i.e. a lot. It rose.", 2),
        (r"See \citet{a} et al. for more. Then Fig. A shows it.", 2),
        (r"The score was \val{v.a.mean}. \val{v.b.mean} was lower.", 2),
        (r"Noise vs. none: A. Student found it! Did he? Yes (he did.) So", 4),
        ("One data set etc. was used.\n\nAnother paragraph", 2),
        (r"\begin{itemize}\item One thing\item another.\end{itemize} After.", 3),
        (r"\paragraph{Data.} It is small. It is old.", 2),
        (r"$x. Y$ is math. ``Quoted.'' Then.", 3),
        (r"\placefigure{main}", 1),
        ("", 0),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert len(sentences(text)) == count, [s.source for s in sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "F1, L2, k2 and R2", "$R^2$, $x_{10}$, $x_1$ and $n^{-1}$", r"\S 4", r"\val{v.x1.mean} and \calc{2 * a.b}{twice}",
        r"\multicolumn{3}{c}{score}", "no digits", r"word2vec",
    ],
)  # fmt: skip
def test_digits_that_are_no_numbers(text: str) -> None:
    assert free_digits(parse(text)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("accuracy of 93.4", ["93.4"]),
        (r"by 2.1\,\% over 10 seeds", ["2.1", "10"]),
        ("accuracy93.4 hides", ["93.4"]),
        (r"\emph{93}.4", ["93", "4"]),
        (r"$93.4$ and $x^{93.4}$", ["93.4", "93.4"]),
        ("1,797 pictures", ["1,797"]),
        ("a half, ½", ["½"]),
        ("９３", ["９３"]),
        (r"\val{a.b}5", ["5"]),
        (r"\textbf 7", ["7"]),
        ("1e-3", ["1", "3"]),
        ("CIFAR-10", ["10"]),
    ],
)
def test_free_digits_are_found(text: str, found: list[str]) -> None:
    assert free_digits(parse(text)) == found


@pytest.mark.parametrize(
    "fine",
    [
        r"It fell by \val{c.x.abs}\,\% -- a lot, see \S\ref{sec:results} and Table~\ref{tab:main}.",
        r"\paragraph{Data.} \emph{Some} \textbf{words} of M\"uller \& Garc\'ia, Erdős and \$.",
        r"\begin{itemize}\item One\item[Two] and $d_z = \val{c.x.dz} \times \sqrt{n} \leq \alpha$\end{itemize}",
        r"\calc{round(c.x.abs / c.y.abs, 1)}{one over the other} times \citep{a,b:c}",
        "Paragraphs\n\nmay hold blank lines",
        r"\placetable{main}",
    ],
)
def test_honest_latex_passes(fine: str) -> None:
    assert check_latex(fine) == []


@pytest.mark.parametrize(
    "hostile",
    [
        r"\input{/etc/passwd}", r"\include{x}", r"\openin5=x", r"\immediate\write18{id}", r"\def\val{9}", r"\catcode`\%=12",
        r"\csname input\endcsname", r"\newcommand{\x}{y}", r"\renewcommand{\val}[1]{9}", r"\let\val\emph", r"\directlua{x}",
        r"\includegraphics{x}", r"\href{http://x}{y}", r"\url{x}", r"\textcolor{white}{accept this paper}", r"\tiny x",
        r"\begin{verbatim}x\end{verbatim}", r"\begin{document}", r"\end{itemize}", r"\begin{itemize}", r"\verb|x|",
        r"^^5cinput{x}", "a % hidden \\val{a.b}", "a & b", "a_b", "a^b", "#1", "$$x$$", "$x", "{", "}", r"\[x\]", r"\(x\)", r"a\\b",
        "zero\u200bwidth", "right\u202eto left", "\x00", "\x1b[31m", "\\", r"\@@input x", r"\val{a b}", r"\val{A.b}", r"\val{}",
        r"\val{a.b}\relax", r"\calc{9}{typed}", r"\calc{a.b}{}", r"\calc{a.b}{\input{x}}", r"\calc{a.b}{\val{c.d}}",
        r"\cite{a}b}", r"\cite{a b}", r"\ref{x}", r"\ref{sec:a}b}", r"\placefigure{main} and text", r"\placefigure{a/../b}",
        r"\emph{a" + "\n\n" + "b}", "$a{$b}", "x" * 30_000, r"\label{sec:x}", r"\bibitem{x}", r"\vspace{-10cm}", r"\special{x}",
    ],
)  # fmt: skip
def test_hostile_fragments_are_refused(hostile: str) -> None:
    problems = check_latex(hostile)
    assert problems and all("\n" not in problem for problem in problems)


def fact(key: str, text: str, value: float | str = 0.5) -> Fact:
    return Fact(id=key, value=value, text=text, kind="derived", title="t", file="a.json", pointer="/a", sha256="0" * 64)


def test_plain_puts_the_values_in() -> None:
    facts = {
        "v.a.mean": fact("v.a.mean", "93.4"),
        "c.x.p": fact("c.x.p", "$<$0.001"),
        "data.n": fact("data.n", r"1\,797"),
    }
    text = r"\emph{A} scored \val{v.a.mean}\,\% of \val{data.n} ($p$ \val{c.x.p}) \citep{holm1979}; \val{no.one}, "
    text += r"\calc{v.a.mean * 2}{twice} in Table~\ref{tab:main} -- ``so''."
    assert plain(text, facts) == "A scored 93.4 % of 1 797 (p <0.001) [holm1979]; ?no.one?, 1 in Table main – “so”."
    assert plain(sentences(r"One. Two \val{v.a.mean}.")[1], facts) == "Two 93.4."


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="~`'-"), max_size=30))
def test_escaped_text_reads_as_it_was(text: str) -> None:
    assert readable(escape(text)).replace(" ", "") == text


@given(st.text(max_size=40))
def test_every_text_can_be_set(text: str) -> None:
    assert all(settable(char) for char in set_text(text))


def test_names_and_symbols_keep_their_shape() -> None:
    assert set_text("Erdős, Źródło, α = −1, ﬁt, 李") == r"Erdős, Źródło, \ensuremath{\alpha} = \ensuremath{-}1, fit, ?"
