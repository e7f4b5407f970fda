"""The threshold that keeps a promise about errors, chosen on pages that are known."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import GateError, UsageError
from edge.forms.threshold import choose_threshold, error_bound
from edge.forms.truth import Known, Truth
from edge.forms.values import FieldReading, FormPage
from edge.values import Box, Status

_BOX = Box(left=0, top=0, right=1, bottom=1)
_QUAD = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def _page(values: list[tuple[str, float, Status]]) -> FormPage:
    fields = tuple(
        FieldReading(name=f"f{i}", value=v, raw=v, confidence=c, status=status, box=_BOX, quad=_QUAD)
        for i, (v, c, status) in enumerate(values)
    )
    return FormPage(source="scans/a.png", page_number=1, sha256="0", fields=fields)


def _truth(values: list[str]) -> Truth:
    return Truth(pages={("a.png", 1): {f"f{i}": Known(value=v, kind="hand") for i, v in enumerate(values)}})


def _drawn(seed: int, n: int) -> tuple[FormPage, Truth]:
    """Values whose confidence is exactly the probability that they are right."""
    rng = np.random.default_rng(seed)
    confidences = 1 - 0.3 * rng.random(n) ** 4
    right = rng.random(n) < confidences
    page = _page([("1", float(c), "read") for c in confidences])
    return page, _truth(["1" if ok else "2" for ok in right])


def test_bound_is_clopper_and_pearsons() -> None:
    assert error_bound(0, 598) == pytest.approx(1 - 0.05 ** (1 / 598))
    assert error_bound(1, 10) == pytest.approx(0.3942, abs=1e-4)  # their table
    assert error_bound(10, 10) == 1.0


def test_few_of_the_sure_values_are_wrong_on_other_pages() -> None:
    broken = 0
    for seed in range(12):
        known_page, known_truth = _drawn(seed, 1000)
        chosen = choose_threshold([known_page], known_truth, 0.02)
        page, truth = _drawn(1000 + seed, 4000)
        known = truth.pages["a.png", 1]
        sure = [f for f in page.fields if f.confidence >= chosen.threshold]
        assert len(sure) > 0.4 * len(page.fields)
        broken += sum(f.value != known[f.name].value for f in sure) > 0.02 * len(sure)
    assert broken <= 2  # one in twenty, and chance


def test_more_errors_allowed_means_no_higher_threshold() -> None:
    page, truth = _drawn(7, 3000)
    thresholds = [choose_threshold([page], truth, share).threshold for share in (0.01, 0.02, 0.05, 0.2)]
    assert thresholds == sorted(thresholds, reverse=True)


def test_values_for_review_and_unknown_ones_have_no_say() -> None:
    page = _page([("1", 0.9, "read")] * 100 + [("2", 0.99, "review")] * 50 + [("3", 0.95, "read")] * 50)
    assert choose_threshold([page], _truth(["1"] * 150), 0.05).known == 100


def test_too_few_known_values_say_how_many_are_needed() -> None:
    with pytest.raises(GateError, match="at least 598 are needed"):
        choose_threshold([_page([("1", 0.9, "read")] * 100)], _truth(["1"] * 100), 0.005)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_impossible_shares_are_refused(share: float) -> None:
    with pytest.raises(UsageError, match="max-error"):
        choose_threshold([], _truth([]), share)


def test_truth_of_other_files_is_told() -> None:
    with pytest.raises(UsageError, match="file names"):
        choose_threshold([_page([("1", 0.9, "read")])], Truth(pages={}), 0.05)
