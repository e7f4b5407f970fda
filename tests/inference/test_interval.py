"""Wilson's interval is the published one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.inference.interval import wilson


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
