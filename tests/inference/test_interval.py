"""Wilson's interval is the published one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.inference.interval import wilson, wilson_of_blocks


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        # As tabulated by R's binom::binom.wilson.
        (9925, 10000, 0.99060, 0.99402),
        (0, 10, 0.0, 0.27753),
        (10, 10, 0.72247, 1.0),
        (5, 10, 0.23659, 0.76341),
        # The example of Newcombe, Statistics in Medicine 17 (1998).
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_interval_is_the_published_one(right: int, n: int, low: float, high: float) -> None:
    assert wilson(right, n) == pytest.approx((low, high), abs=5e-5)


@given(n=st.integers(1, 20_000), share=st.floats(0, 1))
def test_interval_lies_in_0_to_1_and_holds_the_share(n: int, share: float) -> None:
    right = round(share * n)
    low, high = wilson(right, n)
    assert 0 <= low <= right / n + 1e-12 and right / n - 1e-12 <= high <= 1 and low < high


def test_of_nothing_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def width(interval: tuple[float, float]) -> float:
    return interval[1] - interval[0]


def test_independent_items_are_hardly_wider_by_blocks_and_never_narrower() -> None:
    right = [bool(value) for value in np.random.default_rng(3).uniform(size=3200) < 0.95]
    plain, blocked = width(wilson(sum(right), len(right))), width(wilson_of_blocks(right))
    assert plain <= blocked < 1.6 * plain


def test_every_item_four_times_over_makes_the_interval_twice_as_wide() -> None:
    once = np.random.default_rng(4).uniform(size=800) < 0.9
    sheets = np.concatenate([np.tile(sheet, 4) for sheet in np.split(once, 16)]).tolist()
    ratios = width(wilson_of_blocks(sheets)) / width(wilson(sum(sheets), len(sheets)))
    assert 1.4 < ratios < 2.8


@pytest.mark.parametrize("right", [[], [True], [True] * 500, [False] * 500, [True, False] * 10])
def test_where_blocks_say_nothing_the_interval_is_wilson_s(right: list[bool]) -> None:
    assert wilson_of_blocks(right) == wilson(sum(right), len(right))
