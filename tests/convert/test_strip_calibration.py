"""Temperature of whole texts, and strips seen in other widths and heights."""

import numpy as np
import pytest

from convert.calibration import COLDEST, threshold_for
from convert.strip_calibration import best_text_temperature, stretched
from edge.inference.ctc import Ranked


def drawn(rng: np.random.Generator, temperature: float, n: int) -> tuple[list[Ranked], np.ndarray]:
    """Texts whose first one is right as often as the scores at a temperature say."""
    found = [Ranked(texts=("1", "7"), by_view=((0.0, -float(gap)),)) for gap in rng.uniform(0, 8, n)]
    return found, np.array([rng.random() < said.shares(temperature)[0] for said in found])


@pytest.mark.parametrize("temperature", [0.7, 1.0, 2.5])
def test_the_temperature_behind_the_scores_is_found(temperature: float) -> None:
    found, right = drawn(np.random.default_rng(1), temperature, 4000)
    assert best_text_temperature(found, right) == pytest.approx(temperature, rel=0.12)


def test_texts_that_are_always_right_are_not_called_certain() -> None:
    found, _ = drawn(np.random.default_rng(1), 1.0, 200)
    assert best_text_temperature(found, np.ones(200, bool)) >= COLDEST - 1e-4


def test_the_threshold_keeps_wrong_ones_out() -> None:
    confidence, wrong = np.array([0.99, 0.97, 0.95, 0.93, 0.91]), np.array([0, 0, 0, 1, 0], bool)
    assert threshold_for(confidence, wrong, allowed=0.0, lowest=0.5) == 0.95
    assert threshold_for(confidence, wrong, allowed=0.25, lowest=0.5) == 0.91
    assert threshold_for(confidence, wrong, allowed=0.0, lowest=0.98) == 0.98
    assert threshold_for(confidence, np.ones(5, bool), allowed=0.1, lowest=0.5) == 1.0


def test_a_view_keeps_the_strip_s_middle_row_and_left_edge() -> None:
    strip = np.zeros((32, 64, 1), np.uint8)
    strip[8:24, 4:44] = 255
    for width, height in ((1.12, 1.0), (0.9, 1.0), (1.0, 0.9), (1.0, 1.1)):
        view = stretched(strip, width, height)
        assert view.shape[0] == 32 and view.shape[1] % 16 == 0 and view.dtype == np.uint8
        rows, columns = np.nonzero(view[:, :, 0] > 127)
        assert rows.mean() == pytest.approx(15.5, abs=0.5)
        assert columns.min() == pytest.approx(4, abs=1)
        assert np.ptp(columns) == pytest.approx(39 * width, abs=2) and np.ptp(rows) == pytest.approx(15 * height, abs=2)
    assert (stretched(strip, 1.0, 1.0) == strip).all()
