"""Figures: one per question, every contrast shown, intervals only where they exist, the same bytes always."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from designs import DESIGNS, TEMPLATE, World, world

from scientist.papers import _figures_draw as draw
from scientist.papers._figures import draw_figures
from scientist.papers._figures_data import Numbers
from scientist.papers._figures_designs import _scale_of, main_figure
from scientist.papers._records import Figure


def drawn(folder: Path, w: World) -> tuple[Figure, ...]:
    return draw_figures(folder, w.template, w.idea, w.study, w.analysis, w.final, w.results)


@pytest.mark.parametrize("kind", sorted(DESIGNS))
def test_every_design_gets_its_figure_and_every_contrast_is_shown(kind: str, tmp_path: Path) -> None:
    w = world(kind)
    main, contrasts = drawn(tmp_path, w)
    assert (main.id, contrasts.id) == ("main", "contrasts")
    for figure in (main, contrasts):
        assert (tmp_path / figure.file).read_bytes().startswith(b"%PDF")
        assert len(set(figure.shows)) == len(figure.shows)
        # A digit outside \val{...} would be a number somebody typed.
        assert not re.search(r"\d", re.sub(r"\\val\{[^}]*\}", "", figure.caption))
    for contrast in w.study.contrasts:
        for split in ("keep", "final"):
            assert {f"c.{contrast.id}.{split}.{part}" for part in ("mean", "ci_low", "ci_high")} <= set(contrasts.shows)


def test_each_kind_of_design_is_drawn_differently() -> None:
    def caption(kind: str) -> str:
        w = world(kind)
        numbers = Numbers(w.template, w.study, w.analysis, w.final, w.results)
        return main_figure(w.template, w.idea, numbers)[1]

    assert caption("dose-response").startswith("Accuracy against label noise")
    assert "four cells" in caption("interaction")
    assert "survive label noise" in caption("robustness")
    assert "carry over from one data set to another" in caption("transfer")
    assert caption("tuning").startswith("Accuracy of every variant")


def test_same_numbers_same_bytes_in_another_process(tmp_path: Path) -> None:
    here = [figure.sha256 for figure in drawn(tmp_path / "a", world("transfer", seeds=4))]
    code = textwrap.dedent(
        """
        import sys; from pathlib import Path
        from designs import world; from test_figures import drawn
        import matplotlib; matplotlib.rcParams["font.size"] = 31
        print(*[figure.sha256 for figure in drawn(Path(sys.argv[1]), world("transfer", seeds=4))])
        """
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "b")],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.split() == here
    assert [figure.sha256 for figure in drawn(tmp_path / "c", world("transfer", seeds=4, seed=2))] != here
    raw = (tmp_path / "a" / "figures" / "main.pdf").read_bytes()
    assert b"CreationDate" not in raw and b"/Type3" not in raw


def test_importing_the_module_does_not_import_matplotlib() -> None:
    code = "import sys, scientist.papers._figures; print('matplotlib' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_one_seed_shows_no_interval(tmp_path: Path) -> None:
    w = world("dose-response", seeds=1)
    main, contrasts = drawn(tmp_path, w)
    assert not any(fact.endswith(("ci_low", "ci_high")) for figure in (main, contrasts) for fact in figure.shows)
    assert "hence no interval" in main.caption and "ci_level" not in main.caption
    numbers = Numbers(w.template, w.study, w.analysis, w.final, w.results)
    mark = numbers.variant(w.study.variants[0].name, "keep")
    assert mark is not None and mark.low is None and mark.high is None


def test_values_are_in_printed_units_and_seeds_are_the_runs() -> None:
    w = world("comparison")
    numbers = Numbers(w.template, w.study, w.analysis, w.final, w.results)
    name = w.study.variants[1].name
    mark = numbers.variant(name, "keep")
    raw = [r.metrics["keep"]["accuracy"] for r in w.results if r.variant == name]
    assert mark is not None
    assert mark.seeds == tuple(100 * v for v in raw)
    assert mark.mean == pytest.approx(100 * sum(raw) / len(raw))
    assert numbers.value_title == "accuracy (%)"
    assert numbers.difference_title == "difference in accuracy (points)"


def test_failed_runs_are_neither_drawn_nor_hidden(tmp_path: Path) -> None:
    from scientist.experiments._statistics import analyse

    w = world("comparison")
    results = tuple(
        r.model_copy(update={"status": "timeout", "metrics": {}, "reason": "too slow"})
        if r.variant == "model_mlp" and r.seed < 14
        else r
        for r in w.results
    )
    final = w.final.model_copy(
        update={"scores": {**w.final.scores, "model_mlp": {"18": w.final.scores["model_mlp"]["18"]}}}
    )
    analysis = analyse(w.study, results, final)
    main, _ = draw_figures(tmp_path, w.template, w.idea, w.study, analysis, final, results)
    assert r"\val{study.n_failed}" in main.caption
    assert "v.model_mlp.final.accuracy.mean" in main.shows
    assert "v.model_mlp.final.accuracy.ci_low" not in main.shows


def test_doses_are_laid_out_so_that_neighbours_can_be_told_apart() -> None:
    noise, strength = TEMPLATE.knob("label_noise"), TEMPLATE.knob("c")
    assert _scale_of(noise, [0.0, 0.1, 0.2, 0.4], 3.7) == "linear"
    assert _scale_of(noise, [0.0, 0.01, 0.02, 0.4], 3.7) == "even"
    assert _scale_of(strength, [1e-4, 1e-3, 1e-2], 3.7) == "log"
    assert _scale_of(strength, [1e-5, 1.1e-5, 1.0], 3.7) == "even"
    assert _scale_of(TEMPLATE.knob("model"), ["logistic", "svm"], 3.7) == "even"


@pytest.mark.parametrize(
    "labels",
    [
        [
            "a small multilayer perceptron",
            "a support vector machine",
            "logistic regression",
            "a random forest",
        ],
        ["Digits", "Wine", "Breast Cancer Wisconsin", "Diabetes"],
        ["antidisestablishmentarianism"] * 5,
        [str(i / 10) for i in range(8)],
    ],
)
def test_labels_along_an_axis_never_overlap(labels: list[str]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with draw.canvas(4.6, 2.75) as figure:
        axes = figure.add_subplot()
        axes.set_xlim(-0.5, len(labels) - 0.5)
        draw.columns_axis(axes, range(len(labels)), labels, 3.7)
        FigureCanvasAgg(figure).draw()
        texts = axes.get_xticklabels()
        boxes = [text.get_window_extent() for text in texts]
        slanted = any(text.get_rotation() for text in texts)
    if slanted:  # parallel lines of text: what matters is that their baselines are further apart than a line is high
        starts = [box.x1 for box in boxes]
        assert all(b - a > 0.5 * 12 for a, b in itertools.pairwise(starts))
    else:
        assert not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))


def test_keep_and_final_survive_a_greyscale_print() -> None:
    keep, final = (
        draw.key(draw.Series("keep", ())),
        draw.key(draw.Series("final", (), False, draw.ORANGE, "s")),
    )
    assert keep[1]["mfc"] != "white" and final[1]["mfc"] == "white"
    assert keep[1]["marker"] != final[1]["marker"]
