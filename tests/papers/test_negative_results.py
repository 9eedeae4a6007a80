"""Nothing found is a result only where the second set of examples agrees."""

from __future__ import annotations

import pytest
from designs import world

from scientist.papers._discussion import negative_results
from scientist.papers._phrases import Phrases


@pytest.mark.parametrize("held", [True, None, False])
def test_an_equivalence_that_final_does_not_repeat_is_not_recommended(held: bool | None) -> None:
    w = world("comparison")
    contrasts = tuple(
        c.model_copy(update={"verdict": "equivalent", "holds_on_final": held}) for c in w.analysis.contrasts
    )
    analysis = w.analysis.model_copy(update={"contrasts": contrasts})
    text = " ".join(negative_results(Phrases(w.template, w.idea, w.study, analysis), w.results))
    assert ("save others the runs" in text) is (held is not False)
    assert ("nobody should rely on it yet" in text) is (held is False)
    assert ("Not confirmed on" in text) is (held is False)
