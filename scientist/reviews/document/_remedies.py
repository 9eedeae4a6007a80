"""What each kind of finding is about, whether a next study could settle it, and what to do: one table for all of them."""

from __future__ import annotations

from typing import NamedTuple

from scientist.reviews.forms import Kind

AUDIT = "audit "
"""What stands before the code of a finding of the audit."""
CITATION = "citation "
"""What stands before a code of citation verification."""


class Remedy(NamedTuple):
    """`about`: the type of weakness; `study`: whether running or analysing something anew settles it, and not only writing;
    `what`: what to do, as an order."""

    about: Kind
    study: bool
    what: str


UNKNOWN = Remedy("soundness", False, "Look at the sentence and mend it.")
"""For a kind that the table does not know."""

CHECKS: dict[str, Remedy] = {
    # of the text alone
    "undefined-reference": Remedy("clarity", False, "Label what is meant, or name another place."),
    "undefined-citation": Remedy("clarity", False, "Add the missing entry to the list of references."),
    "no-references": Remedy("clarity", False, "Print the list of references."),
    "not-found": Remedy("clarity", False, "See whether it is there; the reading may have missed it."),
    "uncited-entry": Remedy("clarity", False, "Cite it where it matters, or leave it out."),
    "never-referred-to": Remedy("clarity", False, "Say in the text what it shows, or leave it out."),
    "duplicate-label": Remedy("clarity", False, "Give each of the two a label of its own."),
    "duplicated-figure": Remedy("evidence", False, "Print the picture that was meant, and say what each one shows."),
    "lost-text": Remedy("clarity", False, "Write a backslash before the percent sign; the rest of that line is not printed."),
    "placeholder": Remedy("clarity", False, "Put in what was meant to stand there."),
    "arithmetic": Remedy("soundness", False, "Compute it again from the measurements, and say which change is meant."),
    "direction": Remedy("soundness", False, "Say what the two numbers say, or mend the wrong one."),
    "parts-of-a-whole": Remedy("soundness", False, "Count the parts again and print them so that they make one whole."),
    "p-value": Remedy("soundness", True, "Make the test again from the data; print statistic, degrees of freedom and p of one test."),
    "impossible-mean": Remedy("soundness", True, "Compute the mean again from the answers; say how many gave one."),
    "impossible-spread": Remedy("soundness", True, "Compute the standard deviation again from the answers."),
    "mean-off-scale": Remedy("soundness", True, "Compute the mean again, or state the scale that was used."),
    "bold-not-best": Remedy("clarity", False, "Set the best value of the column in bold, and say which way is better."),
    "claimed-best": Remedy("soundness", False, "Claim it for what is best in the table, or mend the table."),
    "contradicted-comparison": Remedy("soundness", False, "Say what the two numbers say: who is ahead, and by how much."),
    "missing-error-bars": Remedy("evidence", True, "Repeat the runs with several seeds; print the spread, and of how many."),
    "single-seed": Remedy("evidence", True, "Repeat the runs with at least five seeds."),
    "no-baseline": Remedy("evidence", True, "Compare with the simplest method that could work, tuned with the same effort."),
    "no-limitations": Remedy("scope", False, "Say where the result may not hold, and what was not tried."),
    # of the text as a whole
    "interval": Remedy("soundness", False, "Compute estimate and interval again from the same measurements."),
    "unsupported-numbers": Remedy("evidence", True, "Print the tables that the numbers of the text come from, or run again what gave them."),
    "abstract-number": Remedy("evidence", False, "Report in the results what the abstract says, with the same number."),
    "even-digits": Remedy("soundness", True, "Print the numbers of the runs; measurements of one thing are of one size."),
    "against-itself": Remedy("soundness", False, "Say what the tables say, the same way everywhere."),
    "abstract-against-text": Remedy("soundness", False, "Say in the abstract what the paper shows."),
    "compares-nothing": Remedy("evidence", True, "Measure a baseline in the same way, and say what the results are better or worse than."),
    "lone-row": Remedy("evidence", True, "Give the same measurements of what the row is to be compared with."),
    "section-order": Remedy("clarity", False, "Put the sections into the order in which one needs them."),
    "paragraph-order": Remedy("clarity", False, "Let every paragraph take up what the one before says."),
    # against the runs
    "unmatched": Remedy("soundness", True, "Print the number of the run that is meant, or keep the run that gave it."),
    "wrong-run": Remedy("soundness", False, "Print the number of the run, data set and metric that the words name."),
    "contradicted": Remedy("soundness", False, "Say what the runs show, or run again what was meant."),
    "unsupported-error-bar": Remedy("evidence", True, "Compute the spread from the values per seed, and say which spread it is."),
    "identical-code": Remedy("soundness", True, "Run the variant that was meant; two names for one program show no effect."),
    "identical-results": Remedy("soundness", True, "Run again what differs; equal measurements to the last digit are no second result."),
}  # fmt: skip

CITATIONS: dict[str, Remedy] = {
    "not-found": Remedy("evidence", False, "Cite a work that exists, or give the identifier by which it is found."),
    "wrong-metadata": Remedy("clarity", False, "Print title, authors, year and identifier as the record has them."),
    "retracted": Remedy("evidence", False, "Rest nothing on a work that was withdrawn, or say that it was."),
    "bad-key": Remedy("clarity", False, "Give the entry a key."),
    "duplicate-key": Remedy("clarity", False, "Give each entry a key of its own."),
    "duplicate-work": Remedy("clarity", False, "List the work once."),
    "unescaped": Remedy("clarity", False, "Write a backslash before the character."),
    "bad-address": Remedy("clarity", False, "Print an address that leads somewhere."),
    "broken-entry": Remedy("clarity", False, "Mend the entry so that it can be read."),
    "no-title": Remedy("clarity", False, "Print the title of the work."),
    "not-listed": Remedy("clarity", False, "Add the entry that is cited."),
    "no-file": Remedy("clarity", False, "Hand in the list that the text names."),
    "never-cited": Remedy("clarity", False, "Cite it where it matters, or leave it out."),
    "authors-separated": Remedy("clarity", False, "Put 'and' between the authors."),
    "field-twice": Remedy("clarity", False, "Keep the field that is right."),
}

AUDITS: dict[str, Remedy] = {
    "free-number": Remedy("soundness", False, "Take the number from a fact; what was typed has no run."),
    "unknown-fact": Remedy("soundness", False, "Name a fact that exists."),
    "bad-expression": Remedy("soundness", False, "Write arithmetic over facts."),
    "interval-without-n": Remedy("evidence", True, "Run more seeds, or print no interval."),
    "unknown-citation": Remedy("evidence", False, "Cite a work that a source returned."),
    "citations-changed": Remedy("evidence", False, "Make the record of the citations again."),
    "unused-reference": Remedy("clarity", False, "Cite it, or leave it out."),
    "undefined-ref": Remedy("clarity", False, "Label what is meant."),
    "placed-twice": Remedy("clarity", False, "Place it once."),
    "unused-label": Remedy("clarity", False, "Say in the text what it shows."),
    "figure-unused": Remedy("clarity", False, "Place the figure, or delete it."),
    "table-unused": Remedy("clarity", False, "Place the table, or delete it."),
    "placeholder": Remedy("clarity", False, "Put in what was meant to stand there."),
    "latex-unsafe": Remedy("clarity", False, "Write it with the commands that fragments may use."),
    "missing-section": Remedy("scope", False, "Write the section."),
    "claim-unsupported": Remedy("soundness", True, "Claim what the declared test found, or declare a study that can find it."),
    "direction": Remedy("soundness", False, "Say which way the effect goes."),
    "primary-unreported": Remedy("clarity", False, "Report the primary contrast in the abstract."),
    "fact-value": Remedy("soundness", False, "Make the facts again from the runs."),
    "fact-hash": Remedy("soundness", False, "Make the facts again from the runs."),
    "fact-provenance": Remedy("soundness", False, "Make the facts again from the runs."),
    "result-changed": Remedy("ethics", True, "Run it again; a result that was changed afterwards is none."),
    "analysis-changed": Remedy("soundness", False, "Make the statistics again as declared."),
    "study-changed": Remedy("soundness", True, "Declare the study anew and run it."),
    "study-unfrozen": Remedy("soundness", True, "Freeze the study before it runs."),
    "figure-missing": Remedy("clarity", False, "Draw the figure."),
    "figure-changed": Remedy("soundness", False, "Draw the figure again from the analysis."),
    "figure-duplicate": Remedy("evidence", False, "Draw what each figure is about."),
    "figure-unchecked": Remedy("clarity", False, "Draw it again with this version of matplotlib."),
    "tex-changed": Remedy("soundness", False, "Build the paper again from its manuscript."),
    "pdf-missing": Remedy("clarity", False, "Build the PDF."),
    "undeclared-split": Remedy("soundness", True, "Declare the split before it is scored."),
    "undeclared-stop": Remedy("soundness", True, "Declare early stopping before the runs, or let them end."),
    "judging-unsaid": Remedy("soundness", False, "Say that the metric is reported by the code under test."),
    "mixed-code": Remedy("soundness", True, "Run all seeds of the variant with one program."),
    "same-code": Remedy("soundness", True, "Run the variant that was declared."),
    "twin-variants": Remedy("soundness", True, "Declare variants that differ."),
    "artefact-missing": Remedy("soundness", False, "Restore the file."),
    "artefact-broken": Remedy("soundness", False, "Restore the file."),
    "artefact-changed": Remedy("soundness", False, "Restore the file that the manifest lists."),
    "journal-broken": Remedy("ethics", False, "Restore the journal; its lines are chained."),
    "journal-missing": Remedy("evidence", False, "Keep the lab's journal beside the paper."),
    "final-reopened": Remedy("soundness", True, "Test on data that was not opened before."),
    "few-seeds": Remedy("evidence", True, "Repeat the runs with at least five seeds."),
    "power-capped": Remedy("evidence", True, "Run as many seeds as the declared power asks for."),
}  # fmt: skip


def remedy_of(kind: str) -> Remedy:
    """What a kind of finding is about; `audit <code>` and `citation <code>` have tables of their own. Pure."""
    for prefix, table in ((AUDIT, AUDITS), (CITATION, CITATIONS)):
        if kind.startswith(prefix):
            return table.get(kind[len(prefix) :], UNKNOWN)
    return CHECKS.get(kind, UNKNOWN)
