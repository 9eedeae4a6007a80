"""The manuscript of the sample paper."""

from __future__ import annotations

from scientist.papers._records import Figure, Manuscript, Section, Table

CLEAN, SOME, MUCH = "label_noise_0", "label_noise_0_2", "label_noise_0_4"


def val(variant: str, part: str, split: str = "keep") -> str:
    """`\\val` of the accuracy of a variant."""
    return rf"\val{{v.{variant}.{split}.accuracy.{part}}}"


def row(variant: str) -> tuple[str, ...]:
    """One row of the main table."""
    return (
        rf"\val{{set.{variant}.label_noise}}",
        val(variant, "mean"),
        rf"[{val(variant, 'ci_low')}, {val(variant, 'ci_high')}]",
        val(variant, "mean", "final"),
        rf"[{val(variant, 'ci_low', 'final')}, {val(variant, 'ci_high', 'final')}]",
        val(variant, "n"),
    )


TABLE = Table(
    id="main",
    caption=(
        r"Accuracy (\%) by label noise: mean over seeds with \val{study.ci_level}\,\% intervals, on the split that "
        r"decides (\emph{keep}) and on the one opened once (\emph{final})."
    ),
    columns="rrrrrr",
    header=("noise", "keep", "interval", "final", "interval", "$n$"),
    rows=tuple(row(variant) for variant in (CLEAN, SOME, MUCH)),
)

FINDING = (
    r"With label noise \val{set.label_noise_0_4.label_noise}, accuracy fell by \val{c.dose_0_4.keep.abs} points "
    r"(\val{study.ci_level}\,\% interval \val{c.dose_0_4.keep.ci_low} to \val{c.dose_0_4.keep.ci_high})."
)

ABSTRACT = (
    r"Clean labels cost money, and a linear model may or may not need them. We ask how much accuracy logistic "
    r"regression loses on \val{data.digits.title} when some training labels are wrong. The study declared "
    r"\val{study.n_contrasts} contrasts over \val{study.n_variants} variants before the first run, each with "
    r"\val{study.n_seeds} seeds. " + FINDING + r" The sign held on the split that was opened once, at writing. "
    r"With an expected power of \val{study.expected_power}\,\%, smaller effects may have been missed."
)

SECTIONS = (
    Section(
        id="introduction",
        title="Introduction",
        paragraphs=(
            r"Labels are made by people, and people err. Whoever trains a classifier has to decide how much to spend "
            r"on checking them. The answer depends on the model: a flexible one may fit the errors, a stiff one may "
            r"average over them. \val{idea.question}",
            r"We state what was expected before anything ran: \emph{\val{idea.hypothesis}} Section~\ref{sec:method} "
            r"says how it was tested, Section~\ref{sec:results} what was found, and Section~\ref{sec:limitations} "
            r"what this does \emph{not} show. Every number below links to a ledger in the appendix.",
        ),
    ),
    Section(
        id="related",
        title="Related work",
        paragraphs=(
            r"Intervals for small samples go back to \citet{student1908}, who derived the distribution behind them. "
            r"Testing several hypotheses at once needs a correction; we use that of \citet{holm1979}, which is "
            r"valid without assumptions about how the tests depend on one another \citep{holm1979,student1908}.",
        ),
    ),
    Section(
        id="method",
        title="Method",
        paragraphs=(
            r"\paragraph{Data.} \val{data.digits.title} holds \val{data.digits.examples} pictures. A run trains on "
            r"\val{data.digits.train} of them and is scored on \val{data.digits.keep} others that decide, and on "
            r"\val{data.digits.final} that are opened once.",
            r"\paragraph{Variants.} The reference has no label noise. The others have "
            r"\begin{itemize}\item noise \val{set.label_noise_0_2.label_noise}, and "
            r"\item noise \val{set.label_noise_0_4.label_noise}.\end{itemize}",
            r"\paragraph{Statistics.} Runs are paired by seed. Each contrast is tested two-sided with the paired "
            r"$t$ test at \val{study.alpha}\,\%, after Holm over \val{study.n_contrasts} contrasts. The smallest "
            r"effect worth caring about is \val{study.smallest_effect} points. The effect size is Cohen's $d_z$, "
            r"the mean of the paired differences over their standard deviation, and $R^2$ is not used.",
        ),
    ),
    Section(
        id="results",
        title="Results",
        paragraphs=(
            r"\placetable{main}",
            r"Table~\ref{tab:main} gives the accuracy of every variant, and Figure~\ref{fig:main} draws it. Without "
            r"noise, accuracy is \val{v.label_noise_0.keep.accuracy.mean}\,\%. With noise "
            r"\val{set.label_noise_0_2.label_noise} it fell by \val{c.dose_0_2.keep.abs} points "
            r"($p = \val{c.dose_0_2.p_holm}$ after Holm), and with noise \val{set.label_noise_0_4.label_noise} "
            r"by \val{c.dose_0_4.keep.abs} points ($p = \val{c.dose_0_4.p_holm}$); the mean difference was "
            r"\val{c.dose_0_4.keep.mean} points, $d_z = \val{c.dose_0_4.keep.dz}$. That is "
            r"\calc{round(c.dose_0_4.keep.abs / c.dose_0_2.keep.abs, 1)}{the larger loss over the smaller one} "
            r"times the loss at the lower level.",
            r"\placefigure{main}",
            r"\placefigure{contrasts}",
            r"Figure~\ref{fig:contrasts} shows every declared contrast. On the \emph{final} split the difference at "
            r"the higher level was \val{c.dose_0_4.final.mean} points "
            r"[\val{c.dose_0_4.final.ci_low}, \val{c.dose_0_4.final.ci_high}]. Of \val{study.n_runs} runs, "
            r"\val{study.n_failed} failed.",
        ),
    ),
    Section(
        id="limitations",
        title="Limitations",
        paragraphs=(
            r"One data set was used, so nothing is known about others. The pilot asked for more seeds than the "
            r"budget allowed; the expected power was \val{study.expected_power}\,\%. Noise was uniform over "
            r"classes, which real errors are not.",
        ),
    ),
    Section(
        id="disclosure",
        title="Disclosure and reproducibility",
        paragraphs=(
            r"This paper was written by a program from declared facts. The study \texttt{\val{study.sha}} was frozen "
            r"before the first run; Appendix~\ref{app:rebuild} says how to rebuild and check everything.",
        ),
    ),
)


def manuscript(slug: str, figures: tuple[Figure, ...]) -> Manuscript:
    """The manuscript around some figures."""
    return Manuscript(
        slug=slug,
        title="How much does label noise cost a linear model?",
        finding=FINDING,
        abstract=ABSTRACT,
        sections=SECTIONS,
        tables=(TABLE,),
        figures=figures,
        roles={"writer": "heuristic", "proposer": "heuristic", "reviewer": "heuristic"},
    )
