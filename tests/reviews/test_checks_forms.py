"""The forms that strangers give their numbers, each in a small invented study: true ones are bound, false ones named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scientist.reviews.checks import Finding, RunsChecked, check_runs, read_runs
from scientist.reviews.reading import read_paper

LOSS = {"rivers": (0.8123, 0.7231, 0.6412), "lakes": (0.5342, 0.5251, 0.4119)}
STEPS = {"rivers": (4200.0, 3100.0, 1900.0), "lakes": (2400.0, 2000.0, 1100.0)}
ACCURACY = {"rivers": (0.8124, 0.8553, 0.8612), "lakes": (0.9034, 0.9113, 0.9342)}
TITLES = ("Baseline", "Sparse Gate", "Sparse Gate with Long Memory")


def plain(run: int) -> dict[str, Any]:
    return {
        name: {
            "means": {
                "val_loss_mean": LOSS[name][run],
                "val_acc_mean": ACCURACY[name][run],
                "step_val_acc_99_mean": STEPS[name][run],
            },
            "stderrs": {"val_loss_stderr": 0.0012, "val_acc_stderr": 0.0031},
        }
        for name in LOSS
    }


def checked(
    folder: Path, results: str, reports: list[Any] | None = None, title: str = "Gates for Water"
) -> RunsChecked:
    """The checks of a paper whose results are these, beside three runs."""
    (folder / "latex").mkdir(parents=True)
    tex = rf"\documentclass{{article}}\title{{{title}}}\begin{{document}}\section{{Results}}{results}\end{{document}}"
    (folder / "latex" / "template.tex").write_text(tex)
    notes = [f"# Title: {title}"]
    for run, name in enumerate(TITLES):
        (folder / f"run_{run}").mkdir()
        (folder / f"run_{run}" / "final_info.json").write_text(json.dumps(reports[run] if reports else plain(run)))
        notes += [f"## Run {run}: {name}", "Results: {}", f"Description: {name} was tried."]
    (folder / "notes.txt").write_text("\n".join(notes))
    return check_runs(read_paper(folder).document, read_runs(folder))


def table(caption: str, rows: str, columns: str = "lccc") -> str:
    return rf"\begin{{table}}\caption{{{caption}}}\begin{{tabular}}{{{columns}}}{rows}\end{{tabular}}\end{{table}}"


OURS = table(
    "Baseline (Run 0) and our gate (Run 2)",
    r"Data & \multicolumn{2}{c}{Val Loss} & \multicolumn{2}{c}{Steps to 99\% Val Acc} \\ & Baseline & Ours & Baseline & Ours \\ "
    r"Rivers & 0.812 & 0.641 & 4200 & 1900 \\ Lakes & 0.534 & 0.412 & 2400 & 1100 \\",
    "lcccc",
)
GROUPS = table(
    "Everything",
    r"Method & Val Loss & Val Acc \\ Data & (mean $\pm$ stderr) & (mean $\pm$ stderr) \\ \hline Baseline & & \\ "
    r"rivers & 0.8123 $\pm$ 0.0012 & 0.8124 $\pm$ 0.0031 \\ lakes & 0.5342 $\pm$ 0.0012 & 0.9034 $\pm$ 0.0031 \\ "
    r"Sparse Gate & & \\ rivers & 0.7231 $\pm$ 0.0012 & 0.8553 $\pm$ 0.0031 \\",
)
TRUE = {
    "ours, of the runs that the caption names": (OURS, 8),
    "rows in groups, mean and spread in the head": (GROUPS, 12),
    "a change of two printed values": (
        table("Val loss", r"Data & Baseline & Sparse Gate \\ rivers & 0.8 & 0.7 \\", "lcc")
        + r" On rivers the sparse gate reduces the validation loss by 12.5\%.",
        3,
    ),
    "the mean of the changes of all data sets": (
        r"With long memory the steps to 99\% validation accuracy fall by an average of 54\% across all data sets.",
        1,
    ),
    "the time to an accuracy is a duration": (
        r"On rivers we reduce the time to reach 99\% validation accuracy by up to 55\%.",
        1,
    ),
    "each in its turn": (
        "The validation losses of the baseline are 0.812 and 0.534 for rivers and lakes, respectively.",
        2,
    ),
    "one number for another": (
        "The mean validation loss fell from 0.673 for the baseline to 0.527 for the final model.",
        2,
    ),
    "what a comparison says is past": (
        "Compared to the baseline, we have the best validation losses on rivers (0.641) and lakes (0.412).",
        2,
    ),
    "a percentage is a share": (r"The accuracy on lakes is 93.4\%, on rivers 86.1\%.", 2),
    "a better second value": ("On lakes the validation loss improves from 0.534 to 0.412.", 2),
}
FALSE = {
    "ours is of another run": (OURS.replace("0.641", "0.723"), "wrong-run", "run_2 · rivers · val_loss"),
    "a row of the other group": (
        GROUPS.replace("0.7231", "0.8123"),
        "wrong-run",
        "run_1 · rivers · val_loss: 0.7231",
    ),
    "a spread under such a head": (
        GROUPS.replace(r"0.8124 $\pm$ 0.0031", r"0.8124 $\pm$ 0.0094"),
        "unsupported-error-bar",
        "reported standard error 0.0031",
    ),
    "an inflated change": (
        r"On rivers the sparse gate reduces the validation loss by 19\%.",
        "unmatched",
        "rivers · val_loss",
    ),
    "an inflated mean of changes": (
        r"With long memory the steps to 99\% validation accuracy fall by an average of 67\% across all data sets.",
        "unmatched",
        "step_val_acc_99",
    ),
    "not in its turn": (
        "The validation losses of the baseline are 0.534 and 0.812 for rivers and lakes, respectively.",
        "wrong-run",
        "run_0 · rivers · val_loss: 0.8123",
    ),
    "the other end": (
        "On lakes the validation loss of the sparse gate improves from 0.525 to 0.534.",
        "contradicted",
        "lakes",
    ),
    "a change with the sign turned": (
        r"On lakes the long memory increases the validation loss by 22.9\%.",
        "contradicted",
        "lakes",
    ),
    "the neighbour of the metric": ("On rivers the validation accuracy is 0.641.", "unmatched", ""),
    "a spread in running text": (
        r"On lakes the baseline has a validation loss of 0.5342 $\pm$ 0.0047.",
        "unsupported-error-bar",
        "0.0012",
    ),
}


@pytest.mark.parametrize("name", TRUE)
def test_true_numbers_in_every_form_are_bound(tmp_path: Path, name: str) -> None:
    results, numbers = TRUE[name]
    found = checked(tmp_path / "a", results)
    assert (found.findings, found.count("bound"), len(found.numbers)) == ((), numbers, numbers)


@pytest.mark.parametrize("name", FALSE)
def test_false_numbers_in_every_form_are_named(tmp_path: Path, name: str) -> None:
    results, kind, said = FALSE[name]
    found: tuple[Finding, ...] = checked(tmp_path / "a", results).findings
    assert [finding.kind for finding in found if finding.severity != "note"][:1] == [kind], found
    assert said in f"{found[0].expected} {found[0].source} {found[0].message}"
    assert found[0].sentence


def test_groups_inside_a_report_and_spreads_under_their_own_names_are_read(tmp_path: Path) -> None:
    nested = [
        {
            "lakes": {
                "means": {
                    "val_loss_mean": 0.5 - run / 10,
                    "scores": {"mean_style": 0.91 + run / 100, "std_style": 0.07},
                },
                "final_info_dict": {
                    "val_loss": [0.5 - run / 10],
                    "scores": [{"mean_style": 0.91 + run / 100, "std_style": 0.07}],
                },
            }
        }
        for run in range(3)
    ]
    text = r"The style score of the baseline is 0.91 $\pm$ 0.07."
    assert checked(tmp_path / "a", text, nested).findings == ()
    flat = [{"acc": 0.81 + run / 100, "acc_std": 0.034, "loss": {"mean": 0.5 + run, "std": 0.023}} for run in range(3)]
    text = r"The accuracy of the baseline is 0.81 $\pm$ 0.034, its loss 0.5 $\pm$ 0.023."
    assert checked(tmp_path / "b", text, flat).findings == ()
    wrong = checked(tmp_path / "c", text.replace("0.034", "0.043"), flat).findings
    assert [finding.kind for finding in wrong] == ["unsupported-error-bar"]


def test_the_name_of_the_method_may_be_any_run_but_the_baseline(tmp_path: Path) -> None:
    rows = r"Method & rivers & lakes \\ Baseline & 0.812 & 0.534 \\ Sparse Gate & {} & {} \\"
    held = table("Val loss", rows.format("0.641", "0.412"))
    assert checked(tmp_path / "a", held, title="The Sparse Gate").findings == ()
    named = checked(tmp_path / "b", held, title="Water")  # here it names the first gate, whose values these are not
    assert [finding.kind for finding in named.findings] == ["wrong-run"] * 2
    base = checked(tmp_path / "c", table("Val loss", rows.format("0.812", "0.534")), title="The Sparse Gate")
    assert [finding.kind for finding in base.findings] == ["wrong-run"] * 2


SMALL = [
    {
        "magnets": {
            "means": {"init_loss_mean": first, "corr_loss_mean": last},
            "stderrs": {"init_loss_stderr": first / 20, "corr_loss_stderr": last / 20},
            "final_info_dict": {
                "experiment_1": {"orbit": {"x": [0.003, -0.004], "y": [0.1, 0.2]}, "settings": {"seed": 6}}
            },
        }
    }
    for first, last in ((1.37e-4, 3.47e-5), (1.58e-4, 1.35e-5), (3.66e-4, 2.484e-5))
]
POWERS = (
    table(
        "Refinement lowers the loss beyond the baseline",
        r"Run & Initial Loss & Corrected Loss \\ "
        r"0 & $1.37 \times 10^{-4} \pm 6.9 \times 10^{-6}$ & $3.47 \times 10^{-5} \pm 1.7 \times 10^{-6}$ \\ "
        r"2 & $3.66 \times 10^{-4} \pm 1.8 \times 10^{-5}$ & $2.48 \times 10^{-5} \pm 1.2 \times 10^{-6}$ \\",
    )
    + r" The baseline (Run 0) has a mean corrected loss of $3.47 \times 10^{-5} \pm 1.7 \times 10^{-6}$."
)


def test_powers_of_ten_and_runs_by_number_are_read_and_orbits_are_no_results(tmp_path: Path) -> None:
    found = checked(tmp_path / "a", POWERS, SMALL)
    assert (found.findings, found.count("bound")) == ((), 10)
    faults = {
        r"$2.48 \times 10^{-5} ": (r"$1.35 \times 10^{-5} ", "wrong-run"),
        r"1.2 \times 10^{-6}": (r"1.2 \times 10^{-5}", "unsupported-error-bar"),
        r"loss of $3.47 \times 10^{-5}": (r"loss of $3.47 \times 10^{-6}", "unmatched"),
        r"1.7 \times 10^{-6}$.": (r"1.9 \times 10^{-6}$.", "unsupported-error-bar"),
    }
    for number, (old, (new, kind)) in enumerate(faults.items()):
        assert old in POWERS
        spoilt = checked(tmp_path / str(number), POWERS.replace(old, new), SMALL).findings
        assert [finding.kind for finding in spoilt][:1] == [kind], (old, spoilt)


def test_one_value_of_another_run_among_those_of_one_is_a_warning(tmp_path: Path) -> None:
    rows = r"Data & Val Loss & Val Acc & Steps to 99\% Val Acc \\ rivers & 0.7231 & 0.8553 & 3100 \\ lakes & 0.5251 & {} & 2000 \\"
    assert checked(tmp_path / "a", table("Final results", rows.format("0.9113"))).findings == ()
    (found,) = checked(tmp_path / "b", table("Final results", rows.format("0.9034"))).findings
    assert (found.severity, found.kind, found.expected) == ("warning", "wrong-run", "run_1 · lakes · val_acc: 0.9113")
    assert "all but 1 of the 6 values here are those of run_1" in found.message


def test_a_value_of_a_run_that_the_tables_leave_out_is_a_warning_in_running_text(tmp_path: Path) -> None:
    shown = table(
        "Val loss", r"Data & Baseline & Sparse Gate \\ rivers & 0.812 & 0.723 \\ lakes & 0.534 & 0.525 \\", "lcc"
    )
    said = "On lakes the validation loss comes down to {}."
    assert checked(tmp_path / "a", shown + said.format("0.525")).findings == ()
    (found,) = checked(tmp_path / "b", shown + said.format("0.412")).findings
    assert (found.severity, found.kind, found.source) == ("warning", "wrong-run", "run_2 · lakes · val_loss")
    assert found.expected == "run_0 · lakes · val_loss: 0.5342; run_1 · lakes · val_loss: 0.5251"
    assert checked(tmp_path / "c", said.format("0.412")).findings == ()  # without tables any run will do


def test_a_claim_made_twice_is_one_finding_that_names_both_places(tmp_path: Path) -> None:
    claim = r"On rivers the sparse gate reduces the validation loss by 19\%. "
    found = checked(tmp_path / "a", claim + r"\section{Conclusion} So: " + claim)
    assert [(finding.kind, finding.section) for finding in found.findings] == [("unmatched", "1 Results; 2 Conclusion")]
    assert found.count("unmatched") == 2


@pytest.mark.parametrize(
    "sentence",
    [
        "On rivers we use a learning rate of 0.003 for the gates and 0.0005 for the rest.",
        "With a noise level of 0.15 the validation accuracy on rivers stays the same.",
        "We apply gradient clipping at 0.5 on lakes.",
        "A scaling factor of 0.25 worked best for the validation loss on lakes.",
        "The decay of 0.995 smooths the validation loss.",
        "At a significance level of 0.05 the difference in validation accuracy is significant.",
        "With a dropout rate of 0.1 the validation accuracy on rivers is high.",
        "On lakes the validation accuracy differs by less than 0.7% from the baseline.",
        "For rivers, previous work reports an accuracy of 0.87 (Person et al., 2022).",
        "The validation loss on lakes is below 0.9.",
    ],
)
def test_settings_and_limits_are_no_results(tmp_path: Path, sentence: str) -> None:
    found = checked(tmp_path / "a", sentence)
    assert (found.findings, found.numbers) == ((), ())


@pytest.mark.parametrize(
    ("caption", "rows", "numbers"),
    [
        ("Relative change of the validation loss", r"Data & Sparse Gate \\ rivers & -11.0 \\ lakes & -1.7 \\", 0),
        ("Val loss on rivers", r"Method & Val loss \\ Dams (Person et al., 2020) & 0.91 \\ Baseline & 0.812 \\", 1),
        ("Val loss on rivers", r"Method & Val loss \\ Dams \cite{dams} & 0.91 \\ Baseline & 0.812 \\", 1),
        ("Sensitivity on rivers", r"Weight & Val loss \\ 0.25 & 0.812 \\ 0.75 & 0.723 \\", 2),
        ("Hyperparameters", r"Parameter & Value \\ Learning rate & 0.0003 \\ Decay & 0.995 \\", 0),
    ],
)
def test_changes_and_other_peoples_values_in_tables_are_not_looked_at(
    tmp_path: Path, caption: str, rows: str, numbers: int
) -> None:
    found = checked(tmp_path / "a", table(caption, rows, "lc"))
    assert (found.findings, found.count("bound"), len(found.numbers)) == ((), numbers, numbers)


def test_other_units_sums_and_multiples_are_understood(tmp_path: Path) -> None:
    reports = [
        {name: {"means": {"train_time": 90.0 + run, "val_loss": LOSS[name][run]}} for name in LOSS} for run in range(3)
    ]
    true = [
        "On rivers the baseline trains in 1.5 minutes.",
        "The total training time of the baseline over all data sets is 180.0 seconds.",
        "On lakes the loss of the baseline is 1.3 times as high as that of the last gate.",
        "The difference in validation loss on lakes is only 0.0091.",
    ]
    for number, sentence in enumerate(true):
        found = checked(tmp_path / f"a{number}", sentence, reports)
        assert (found.findings, found.count("bound")) == ((), 1), sentence
    false = [
        "On rivers the baseline trains in 2.5 minutes.",
        "The total training time of the baseline is 270.0 seconds.",
    ]
    for number, sentence in enumerate(false):
        assert [one.kind for one in checked(tmp_path / f"b{number}", sentence, reports).findings] == ["unmatched"], (
            sentence
        )
