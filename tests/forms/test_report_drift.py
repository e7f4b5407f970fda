"""The part of a report that tells whether the model met what it was calibrated on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.forms.job.generation import Generation
from edge.forms.job.job_page import StoredPage
from edge.forms.job.ledger import Ledger
from edge.forms.job.work import hash_pixels
from edge.forms.judge.report_drift import drift_of, drift_part
from edge.inference.installed import Store
from edge.inference.manifest import Expected, Manifest
from edge.inference.shipped import find_model
from edge.values import Page
from tests.forms.stand_in import SLIP, StandIn, picture

PAGES = 60
EXPECTED = Expected(n=6000, confidence=0.98, unsure=0.02)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed model whose manifest says what to expect."""
    monkeypatch.setenv("INKEDGE_MODELS", str(tmp_path / "models"))
    (tmp_path / "mine.tflite").write_bytes(find_model("paper").read_bytes())
    manifest = Manifest.read(find_model("paper").with_suffix(".json"))
    replace(manifest, name="mine", expected=EXPECTED).write(tmp_path / "mine.json")
    return Store.here().install(tmp_path / "mine.tflite", "digit", lambda _: None)


def job(folder: Path, confidence: float, model: Path | None = None) -> Ledger:
    """A job of so many pages, each with four digits that are as sure as that, in a row of boxes."""
    ledger = Ledger(folder, create=True)
    run = ledger.begin(Generation.of((SLIP,), model=model), [f"{number}.png" for number in range(PAGES)])
    for number in range(PAGES):
        pixels = picture(number)
        page = StandIn().read(Page(pixels=pixels, source=f"{number}.png"), hash_pixels(pixels))
        account = replace(page.fields[0], cells=4, confidence=confidence**4, status="read", reason=None)
        ledger.note_file(run, number, file=f"{number}")
        ledger.set_count(run, f"{number}", 1)
        ledger.record(run, f"{number}", StoredPage.of(replace(page, fields=(account,))))
    ledger.end(run)
    return ledger


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(("confidence", "worse"), [(0.995, False), (0.8, True)])
def test_digits_that_are_less_sure_than_expected_are_told(tmp_path: Path, confidence: float, worse: bool) -> None:
    with job(tmp_path / "job", confidence) as ledger:
        figures = drift_of(ledger)
    assert figures is not None and figures.n == 4 * PAGES
    assert figures.all[0].value == pytest.approx(confidence)
    assert bool(figures.left) == worse
    html = "".join(drift_part(figures))
    assert ("<td>worse</td>" in html) == worse and "latest 240 digits" in html


def test_without_an_expectation_or_the_model_nothing_is_said(tmp_path: Path, model: Path) -> None:
    silent = tmp_path / "silent.tflite"
    silent.write_bytes(find_model("lecture").read_bytes())
    manifest = Manifest.read(find_model("lecture").with_suffix(".json"))
    replace(manifest, name="silent", threshold=0.5).write(silent.with_suffix(".json"))
    with job(tmp_path / "job", 0.8, silent) as ledger:
        assert drift_of(ledger) is None and drift_part(None) == []
