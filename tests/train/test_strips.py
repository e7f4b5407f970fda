"""Synthetic numbers: a seed gives its strips, the text is what is written, and a network learns from them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError, UsageError
from edge.imaging.strips import BUCKET, ROWS
from train.data import Data, split
from train.fit import start_at, train_on
from train.run import Record, read_history
from train.settings import FitSettings
from train.strip_hand import bank_of, draw_bank, draw_hand, write_digit
from train.strip_marks import MARKS, write_mark
from train.strip_model import LABELS, STRIDE, load_strip, spell, strip_network
from train.strip_pool import Making, Strips, batches, make_strips, open_synthesiser
from train.strips import Synthesiser, draw_text, strip_of

MAKING = Making(seed=3, chunk=64, writers=6)
TINY = FitSettings.for_model("strip", epochs=2, batch_size=16, seed=3, limit=40)


@pytest.fixture(scope="module")
def synthesiser(small: Data) -> Synthesiser:
    """Numbers of the small data's digits and a few drawn writers."""
    parts = split(small, 0.1)
    return open_synthesiser(parts.x_train, parts.y_train, MAKING)


@pytest.fixture(scope="module")
def strips(synthesiser: Synthesiser) -> Strips:
    """64 of them."""
    return make_strips(synthesiser, (3, 1), 64)


@pytest.fixture(scope="module")
def run(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished strip run: two tiny epochs. Tests do not change it."""
    folder = tmp_path_factory.mktemp("strip") / "run"
    start_at(TINY, small_file, folder, base=None, force=False)
    return folder


def test_the_same_seed_makes_the_same_strips(small: Data, strips: Strips) -> None:
    parts = split(small, 0.1)
    again = make_strips(open_synthesiser(parts.x_train, parts.y_train, MAKING), (3, 1), 64)
    assert again.texts == strips.texts
    assert np.array_equal(again.images, strips.images)
    other = make_strips(open_synthesiser(parts.x_train, parts.y_train, MAKING), (3, 2), 8)
    assert other.texts != strips.texts[:8]


def test_strips_are_what_the_network_takes(strips: Strips) -> None:
    assert strips.images.dtype == np.uint8 and strips.images.shape[1] == ROWS
    assert not (strips.widths % BUCKET).any()
    assert all(not image[:, width:].any() for image, width in zip(strips.images, strips.widths, strict=True))
    for text, width in zip(strips.texts, strips.widths, strict=True):
        repeats = sum(a == b for a, b in pairwise(text))
        assert len(text) + repeats < width // STRIDE


def test_texts_are_of_every_digit_and_many_lengths() -> None:
    rng = np.random.default_rng(1)
    texts = [draw_text(rng) for _ in range(800)]
    assert {len(text) for text in texts} >= set(range(1, 9))
    assert set("".join(texts)) == set("0123456789")
    zeros = np.mean([text.endswith("0") for text in texts if len(text) > 2])
    assert 0.2 < zeros < 0.6


def test_more_digits_make_a_longer_strip(synthesiser: Synthesiser) -> None:
    strips = make_strips(synthesiser, (5,), 150)
    by_length = {n: [w for t, w in zip(strips.texts, strips.widths, strict=True) if len(t) == n] for n in (2, 4, 6)}
    means = [float(np.mean(widths)) for widths in by_length.values()]
    assert means[0] < means[1] < means[2]


def test_some_strips_hold_no_number(synthesiser: Synthesiser) -> None:
    rng = np.random.default_rng(2)
    samples = [synthesiser.draw(rng) for _ in range(250)]
    share = np.mean([not sample.text for sample in samples])
    assert 0 < share < 0.1
    assert all(sample.picture.dtype == np.uint8 and sample.picture.ndim == 2 for sample in samples)


@pytest.mark.parametrize("digit", range(10))
def test_a_written_digit_is_as_high_as_asked(small: Data, digit: int) -> None:
    rng = np.random.default_rng(digit)
    for bank in (bank_of(small.x_train, small.y_train), draw_bank(rng, writers=4)):
        patch, pen = write_digit(rng, bank, draw_hand(rng), digit, 40.0)
        assert 26 <= patch.shape[0] <= 46
        assert 1.0 <= pen <= 14.0
        assert patch.max() > 150


@pytest.mark.parametrize("kind", [*MARKS, " "])
def test_marks_stand_near_the_line(kind: str) -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        piece = write_mark(rng, kind, 40.0, ())
        top, bottom = piece.top, piece.top + piece.patch.shape[0]
        assert -60 <= top < bottom <= 30
        assert kind == " " or piece.patch.max() > 200


def test_batches_hold_every_strip_once_and_its_text(strips: Strips) -> None:
    rng = np.random.default_rng(0)
    found = list(batches([strips], 16, rng))
    assert sum(len(batch.x) for batch in found) == 64
    texts = sorted("".join(map(str, row[:n])) for b in found for row, n in zip(b.labels, b.lengths, strict=True))
    assert texts == sorted(strips.texts)
    for batch in found:
        assert batch.x.dtype == np.float32 and batch.x.min() >= 0 and batch.x.max() <= 1
        assert batch.x.shape[1:] == (ROWS, batch.x.shape[2], 1) and batch.x.shape[2] % BUCKET == 0


def test_still_batches_are_not_distorted(strips: Strips) -> None:
    moved, still = (next(batches([strips], 64, np.random.default_rng(0), still=s)) for s in (False, True))
    assert still.x.sum() * 255 == pytest.approx(float(strips.images.sum()), rel=1e-4)
    assert moved.x.sum() != still.x.sum()


def test_strip_of_a_sample_is_the_edges_own(synthesiser: Synthesiser) -> None:
    strip = strip_of(synthesiser.draw(np.random.default_rng(4)))
    assert strip.shape[0] == ROWS and strip.shape[2] == 1 and strip.dtype == np.uint8


def test_the_network_takes_any_width_and_is_small() -> None:
    network = strip_network(len(LABELS))
    assert network.count_params() <= 175_000
    for width in (32, 96, 208):
        assert network(np.zeros((2, ROWS, width, 1), np.float32)).shape == (2, width // STRIDE, len(LABELS))


def test_spelling_joins_repeats_and_drops_blanks() -> None:
    steps = [10, 1, 1, 10, 1, 2, 2, 10, 0]
    assert spell(np.eye(11)[None, steps]) == ["1120"]
    assert spell(np.eye(11)[None, [10, 10]]) == [""]


def test_a_run_is_whole_and_learns(run: Path) -> None:
    record, history = Record.read(run), read_history(run)
    assert record.model == "strip" and record.labels == LABELS and record.stored_epoch == 2
    assert '"preprocessing": "strip32/1"' in (run / "run.json").read_text()
    assert history[1].loss < 0.7 * history[0].loss
    assert load_strip(run / "model.keras").count_params() == record.parameters
    with np.load(run / "representative.npz") as kept:
        assert {"images", "widths", "texts", "heldback_images", "heldback_widths", "heldback_texts"} == set(kept)
        assert len(kept["images"]) == len(kept["widths"]) == len(kept["texts"]) > 0


def test_a_resumed_run_ends_as_one_without_a_stop(
    run: Path, small_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("train.fit.say_epoch", stop)
        with pytest.raises(KeyboardInterrupt):
            start_at(TINY, small_file, tmp_path / "run", base=None, force=False)
    assert Record.read(tmp_path / "run").interrupted and len(read_history(tmp_path / "run")) == 1
    train_on(tmp_path / "run")
    stopped, whole = read_history(tmp_path / "run")[-1], read_history(run)[-1]
    assert stopped.epoch == whole.epoch == 2
    assert stopped.loss == pytest.approx(whole.loss, rel=1e-3)
    assert stopped.val_loss == pytest.approx(whole.val_loss, rel=1e-2)


def test_foreign_files_and_freezing_are_refused(run: Path, small_file: Path, tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="not a Keras model"):
        load_strip(tmp_path / "model.keras")
    with pytest.raises(UsageError, match="--freeze"):
        start_at(FitSettings.for_model("strip", freeze=True), small_file, tmp_path / "x", base=run, force=False)
