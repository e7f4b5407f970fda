"""Texts out of frames: exact against all paths, whatever the number of views and their lengths."""

import itertools

import numpy as np
import pytest

from edge.inference.ctc import BLANK, Ranked, align, frames_of, hypotheses, log_probabilities, rank, runs_of, text_of

LABELS = (0, 1, BLANK)


def random_frames(rng: np.random.Generator, length: int) -> np.ndarray:
    """Frames of two digits and the blank; the other digits have no probability worth counting."""
    frames = np.full((length, 11), 1e-12)
    frames[:, LABELS] = rng.dirichlet([1, 1, 1], length)
    return frames


def all_paths(frames: np.ndarray) -> dict[str, float]:
    """Each text's probability, summed over every path."""
    found: dict[str, float] = {}
    for path in itertools.product(LABELS, repeat=len(frames)):
        text = "".join(str(label) for label, _ in itertools.groupby(path) if label != BLANK)
        found[text] = found.get(text, 0.0) + float(
            np.prod([frame[label] for frame, label in zip(frames, path, strict=True)])
        )
    return found


def spelled(text: str, *, doubt: float = 0.02) -> np.ndarray:
    """Frames that spell a text: two for each digit, a blank after each."""
    frames = np.full((3 * len(text) + 1, 11), doubt / 10)
    frames[:, BLANK] = 1 - doubt
    for i, digit in enumerate(text):
        frames[3 * i + 1 : 3 * i + 3, BLANK] = doubt / 10
        frames[3 * i + 1 : 3 * i + 3, int(digit)] = 1 - doubt
    return frames


@pytest.mark.parametrize("length", [1, 2, 6])
def test_probabilities_are_the_sums_over_all_paths(length: int) -> None:
    frames = random_frames(np.random.default_rng(length), length)
    exact = all_paths(frames)
    found = np.exp(log_probabilities([frames], tuple(exact))[0])
    assert found == pytest.approx(list(exact.values()), abs=1e-9)
    assert found.sum() == pytest.approx(1.0, abs=1e-6)


def test_views_of_unlike_length_are_scored_as_if_alone() -> None:
    rng = np.random.default_rng(3)
    views = [random_frames(rng, length) for length in (6, 3, 5)]
    texts = ("", "0", "01", "101")
    together = log_probabilities(views, texts)
    alone = np.concatenate([log_probabilities([view], texts) for view in views])
    assert together == pytest.approx(alone, abs=1e-12)


def test_surely_blank_frames_change_nothing() -> None:
    frames = random_frames(np.random.default_rng(4), 4)
    blank = np.full((3, 11), 1e-12)
    blank[:, BLANK] = 1.0
    padded = np.concatenate((blank, frames[:2], blank, blank, frames[2:]))
    once = np.concatenate((blank[:1], frames[:2], blank[:1], frames[2:]))
    texts = ("0", "10", "")
    assert log_probabilities([padded], texts) == pytest.approx(log_probabilities([once], texts), abs=1e-9)


def test_a_text_that_does_not_fit_is_impossible() -> None:
    frames = random_frames(np.random.default_rng(5), 3)
    assert log_probabilities([frames], ("0", "00", "0000"))[0].tolist()[2] == -np.inf
    assert align(frames, "0000") == ()


@pytest.mark.parametrize("text", ["7", "1203", "5500", "0011223344"])
def test_what_is_spelled_is_read_and_found_in_its_place(text: str) -> None:
    frames = spelled(text)
    assert text_of(runs_of(frames)) == text == rank([frames]).texts[0]
    runs = align(frames, text)
    assert [str(run.digit) for run in runs] == list(text)
    assert [(run.start, run.end) for run in runs] == [(3 * i + 1, 3 * i + 3) for i in range(len(text))]


def test_frames_without_digits_spell_nothing() -> None:
    blank = np.full((5, 11), 1e-5)
    blank[:, BLANK] = 1.0
    ranked = rank([blank])
    assert ranked.texts[0] == "" and ranked.margin > 3
    assert runs_of(blank) == align(blank, "") == ()


def test_hypotheses_change_leave_out_and_put_in_what_is_doubtful() -> None:
    frames = spelled("25")
    frames[1:3, 2], frames[1:3, 7] = 0.6, 0.38  # a 2 that may be a 7
    frames[3, BLANK], frames[3, 1] = 0.7, 0.28  # a 1 that may stand between
    found = hypotheses(frames)
    assert found[0] == "25"
    assert {"75", "5", "2", "215"} <= set(found)


def test_views_outvote_one_of_them() -> None:
    doubtful = spelled("41")
    doubtful[1:3, 4], doubtful[1:3, 9] = 0.45, 0.53
    assert rank([doubtful]).texts[0] == "91"
    assert rank([doubtful, spelled("41"), spelled("41")]).texts[0] == "41"


def test_shares_sum_to_one_and_flatten_with_the_temperature() -> None:
    ranked = Ranked(texts=("1", "7", ""), by_view=((-0.1, -2.1, -5.0),))
    cold, hot = ranked.shares(0.5), ranked.shares(2.0)
    assert cold.sum() == pytest.approx(1) and hot.sum() == pytest.approx(1)
    assert cold[0] > hot[0] > 1 / 3
    assert ranked.margin == pytest.approx(2.0)


def test_a_view_that_disagrees_makes_a_text_unsure_however_sure_the_others_are() -> None:
    agreed = Ranked(texts=("1", "7"), by_view=((-0.1, -30.1), (-0.1, -5.1)))
    doubted = Ranked(texts=("1", "7"), by_view=((-0.1, -30.1), (-5.1, -0.1)))
    assert doubted.margin > 12
    assert agreed.shares(1.0)[0] > 0.99 > 0.55 > doubted.shares(1.0)[0]


def test_frames_are_a_softmax_and_never_zero() -> None:
    frames = frames_of(np.array([[1000.0] + [0.0] * 10, [1.0] * 11], np.float32))
    assert frames[0].argmax() == 0 and frames.min() >= 1e-5
    assert frames[1] == pytest.approx(np.full(11, 1 / 11))
