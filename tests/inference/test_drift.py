"""Drift: quiet while a model meets what it was made for, told when it surely does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError
from edge.inference.drift import LEAST, WINDOW, Drift
from edge.inference.manifest import Expected, Manifest
from edge.inference.shipped import find_model

# Of these digits one in fifty is not sure, and one in two hundred is taken for no digit.
EXPECTED = Expected(n=6000, confidence=0.985, unsure=0.02, none=0.005)


def drift(expected: Expected = EXPECTED) -> Drift:
    found = Drift.of(replace(Manifest.read(find_model().with_suffix(".json")), threshold=0.9, expected=expected))
    assert found is not None
    return found


def feed(one: Drift, n: int, *, unsure: float, none: float, seed: int = 0) -> None:
    """n digits: of those sure a confidence near 0.99, of the others near 0.75."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        refused = bool(rng.random() < none)
        doubtful = bool(rng.random() < unsure)
        one.add(float(rng.uniform(0.6, 0.9) if doubtful else rng.uniform(0.98, 1.0)), none=refused)


def test_a_manifest_that_expects_nothing_says_nothing() -> None:
    assert Drift.of(replace(Manifest.read(find_model().with_suffix(".json")), expected=None)) is None


def test_nothing_is_told_of_none_or_few_digits() -> None:
    one = drift()
    assert one.figures().n == 0 and not one.figures().all
    feed(one, LEAST - 1, unsure=1.0, none=1.0)
    assert not one.figures().left
    feed(one, 1, unsure=1.0, none=1.0)
    assert {figure.what for figure in one.figures().left} == {"mean confidence", "not sure", "no digit"}


def test_what_is_as_expected_or_better_is_quiet_however_often_it_is_looked_at() -> None:
    for unsure, none in ((0.015, 0.005), (0.0, 0.0)):
        one = drift()
        for seed in range(200):
            feed(one, 50, unsure=unsure, none=none, seed=seed)
            figures = one.figures()
            assert not figures.left, str(figures)
        assert figures.n == WINDOW


@pytest.mark.parametrize(
    ("unsure", "none", "what"),
    [(0.12, 0.0, "not sure"), (0.02, 0.06, "no digit"), (0.25, 0.0, "mean confidence")],
)
def test_what_is_surely_worse_is_told_and_recovery_too(unsure: float, none: float, what: str) -> None:
    one = drift()
    feed(one, WINDOW, unsure=0.01, none=0.0)
    assert not one.figures().left
    feed(one, WINDOW, unsure=unsure, none=none)
    left = {figure.what: figure for figure in one.figures().left}
    assert what in left and what in str(one.figures())
    assert left[what].low <= left[what].value <= left[what].high
    feed(one, WINDOW, unsure=0.01, none=0.0)
    assert not one.figures().left


def test_one_bad_sheet_is_no_drift() -> None:
    """All that is unsure stands together: neighbours count as little as they say."""
    one = drift()
    feed(one, WINDOW - 60, unsure=0.0, none=0.0)
    feed(one, 60, unsure=1.0, none=0.0)
    assert not one.figures().left


def test_the_manifest_keeps_what_to_expect_and_does_without(tmp_path: Path) -> None:
    source = replace(Manifest.read(find_model().with_suffix(".json")), expected=EXPECTED)
    source.write(tmp_path / "m.json")
    assert Manifest.read(tmp_path / "m.json") == source
    replace(source, expected=None).write(tmp_path / "m.json")
    assert "expected" not in json.loads((tmp_path / "m.json").read_text())
    assert Manifest.read(tmp_path / "m.json").expected is None


@pytest.mark.parametrize(
    "raw", [7, {}, {"n": 0, "confidence": 1, "unsure": 0, "none": 0}, {"n": 9, "confidence": 2, "unsure": 0, "none": 0}]
)
def test_a_garbled_expectation_is_a_model_error(tmp_path: Path, raw: object) -> None:
    manifest = Manifest.read(find_model().with_suffix(".json")).to_json() | {"expected": raw}
    (tmp_path / "m.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError):
        Manifest.read(tmp_path / "m.json")
