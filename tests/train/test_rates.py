"""The learning rate falls by a cosine, begins once more for the finish, and never rises after the end."""

from __future__ import annotations

import numpy as np
import pytest

from train.rates import rate_at
from train.settings import FitSettings

PAPER = FitSettings.for_model("paper")


def test_a_constant_rate_stays() -> None:
    assert {rate_at(FitSettings(), epochs) for epochs in (0, 2.5, 40)} == {0.001}


def test_a_cosine_falls_to_a_hundredth_and_stays_there() -> None:
    teacher = FitSettings.for_model("teacher")
    rates = [rate_at(teacher, epochs) for epochs in np.linspace(0, teacher.epochs, 50)]
    assert rates[0] == pytest.approx(0.003) and rates == sorted(rates, reverse=True)
    assert rates[-1] == rate_at(teacher, teacher.epochs + 7) == pytest.approx(0.00003)


def test_the_finish_begins_again_from_lower() -> None:
    main = PAPER.epochs - PAPER.finish_epochs
    assert (main, PAPER.finish_epochs) == (20, 16)
    assert rate_at(PAPER, main - 0.001) < 0.0001 < rate_at(PAPER, main) == pytest.approx(0.001)
    assert rate_at(PAPER, PAPER.epochs) == rate_at(PAPER, PAPER.epochs + 3) == pytest.approx(0.00001)


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 5])
def test_short_runs_have_a_rate_in_every_epoch(epochs: int) -> None:
    short = FitSettings.for_model("paper", epochs=epochs)
    assert all(0 < rate_at(short, at) <= 0.003 for at in np.linspace(0, epochs, 40))
