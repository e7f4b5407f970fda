"""Texts out of a strip network's frames: which ones are possible, how probable each is, and where its digits stand.

Connectionist temporal classification: Graves, Fernández, Gomez, Schmidhuber, ICML 2006. A frame's label is a digit or
the blank; equal neighbours are one digit, and blanks are left out. Frames here are (T, 11) float64 probabilities, the
digits' columns in order and the blank last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Frames: TypeAlias = npt.NDArray[np.float64]

BLANK = 10
# Less than this no network of ours knows; it keeps logarithms finite and a single frame from forbidding a text.
FAINTEST = 1e-5
# A digit that no frame takes for more probable than this is not worth a hypothesis of its own.
_WORTH_INSERTING = 0.004
# Frames that are blank but for this much say the same as the one before them.
_SURELY_BLANK = 1 - 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Successive frames start to end (half-open) that are most probably the same digit."""

    digit: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Texts from the most to the least probable, and by_view the log-probability, in nats, of each in each view.

    The most probable is that of the greatest mean over the views.
    """

    texts: tuple[str, ...]
    by_view: tuple[tuple[float, ...], ...]

    @property
    def scores(self) -> tuple[float, ...]:
        """The texts' mean log-probabilities over the views, falling."""
        return tuple(sum(scores) / len(scores) for scores in zip(*self.by_view, strict=True))

    @property
    def margin(self) -> float:
        """By how much the first text's score is above the next one's."""
        first, second = self.scores[:2]
        return first - second

    def shares(self, temperature: float) -> npt.NDArray[np.float64]:
        """The texts' probabilities, if one of them is right: the mean over the views of what each gives them.

        A view gives the softmax of its scores divided by a temperature. The mean of scores would name the text as well,
        but a view that disagrees hardly lowers it: of cheques read as surely as that, more were wrong.
        """
        scores = np.array(self.by_view)
        weights = np.exp((scores - scores.max(axis=1, keepdims=True)) / temperature)
        weights /= weights.sum(axis=1, keepdims=True)
        shares: npt.NDArray[np.float64] = weights.mean(axis=0)
        return shares


def frames_of(logits: npt.NDArray[np.float32]) -> Frames:
    """(T, 11) probabilities of (T, 11) logits, none below 1e-5."""
    exact = logits.astype(np.float64)
    chances = np.exp(exact - exact.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    clipped: Frames = np.maximum(chances, FAINTEST)
    return clipped


def runs_of(frames: Frames) -> tuple[Run, ...]:
    """The digits that the most probable label of each frame spells, from left to right."""
    best = frames.argmax(axis=1)
    edges = [0, *(np.flatnonzero(best[1:] != best[:-1]) + 1).tolist(), len(best)]
    labels = best[edges[:-1]].tolist() if len(best) else []
    return tuple(
        Run(digit=label, start=start, end=end)
        for label, start, end in zip(labels, edges[:-1], edges[1:], strict=True)
        if label != BLANK
    )


def text_of(runs: Sequence[Run]) -> str:
    """The text that runs spell."""
    return "".join([str(run.digit) for run in runs])


def hypotheses(frames: Frames) -> tuple[str, ...]:
    """The text that the frames spell, first, and those one doubt away: a digit changed, left out, put in or doubled."""
    runs = runs_of(frames)
    text = text_of(runs)
    found = {text: None}
    middles = [0, *(bound for run in runs for bound in (run.start, run.end)), len(frames)]
    for i, run in enumerate(runs):
        peaks = frames[run.start : run.end, :BLANK].max(axis=0)
        peaks[run.digit] = 0.0
        second, third = np.argsort(-peaks)[:2].tolist()
        found[text[:i] + str(second) + text[i + 1 :]] = None
        found[text[:i] + text[i + 1 :]] = None
        if peaks[third] > _WORTH_INSERTING:
            found[text[:i] + str(third) + text[i + 1 :]] = None
        if peaks[second] > _WORTH_INSERTING:
            found[text[:i] + str(second) + text[i:]] = None
            found[text[: i + 1] + str(second) + text[i + 1 :]] = None
        if run.end - run.start > 2 and frames[run.start + 1 : run.end - 1, BLANK].max() > _WORTH_INSERTING:
            found[text[: i + 1] + text[i:]] = None
    for i in range(len(runs) + 1):
        start, end = middles[2 * i : 2 * i + 2]
        if start < end:
            peaks = frames[start:end, :BLANK].max(axis=0)
            digit = int(peaks.argmax())
            if peaks[digit] > _WORTH_INSERTING or not runs:
                found[text[:i] + str(digit) + text[i:]] = None
    return tuple(found)


def rank(views: Sequence[Frames]) -> Ranked:
    """The possible texts of one number by their mean log-probability over views of it, one to many."""
    texts = tuple(dict.fromkeys(text for frames in views for text in hypotheses(frames)))
    scores = log_probabilities(views, texts)
    order = np.argsort(-scores.mean(axis=0), kind="stable").tolist()
    by_view = tuple(tuple(row) for row in scores[:, order].tolist())
    return Ranked(texts=tuple(texts[i] for i in order), by_view=by_view)


def log_probabilities(views: Sequence[Frames], texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """The natural logarithm of each text's probability in each view, (views, texts).

    It is the sum over all ways in which the frames may spell it: the forward pass of Graves et al., section 4.1, for
    all texts and views at once. -inf for what the frames have no room for.
    """
    lengths = np.array([len(text) for text in texts])
    states = 2 * int(lengths.max()) + 1
    labels = np.full((len(texts), states), BLANK)
    for row, text in zip(labels, texts, strict=True):
        row[1 : 2 * len(text) : 2] = [int(digit) for digit in text]
    # From one digit straight to the next, without a blank between: only if they differ.
    skips = np.zeros((len(texts), states))
    skips[:, 3::2] = labels[:, 3::2] != labels[:, 1:-2:2]
    chances = _side_by_side(views)[:, :, labels]  # (T, views, texts, states)
    # Two columns of zeros before the states: what comes from outside.
    alpha = np.zeros((len(views), len(texts), states + 2))
    alpha[:, :, 2 : 2 + min(2, states)] = chances[0, :, :, :2]
    here, before, before_that = alpha[:, :, 2:], alpha[:, :, 1:-1], alpha[:, :, :-2]
    moved = np.empty_like(here)
    for step in chances[1:]:
        np.multiply(skips, before_that, out=moved)
        moved += before
        moved += here
        np.multiply(moved, step, out=here)
    rows = np.arange(len(texts))
    ends = alpha[:, rows, 2 + 2 * lengths] + np.where(lengths > 0, alpha[:, rows, 1 + 2 * lengths], 0.0)
    with np.errstate(divide="ignore"):
        logs: npt.NDArray[np.float64] = np.log(ends)
    return logs


def _side_by_side(views: Sequence[Frames]) -> npt.NDArray[np.float64]:
    """(T, views, 11) frames: those surely blank after one surely blank left out, short views filled up with blanks.

    Neither changes a probability.
    """
    lean = []
    for frames in views:
        blank = frames[:, BLANK] > _SURELY_BLANK
        repeated = np.append(False, blank[1:] & blank[:-1])
        lean.append(frames[~repeated])
    together = np.zeros((max(map(len, lean)), len(lean), BLANK + 1))
    together[:, :, BLANK] = 1.0
    for place, frames in enumerate(lean):
        together[: len(frames), place] = frames
    return together


def align(frames: Frames, text: str) -> tuple[Run, ...]:
    """Where each digit of a text stands on the most probable way (Viterbi) in which the frames spell it.

    Empty if the frames have no room for the text.
    """
    states = 2 * len(text) + 1
    labels = np.full(states, BLANK)
    labels[1::2] = [int(digit) for digit in text]
    chances = np.log(frames[:, labels])
    skips = np.full(states, -np.inf)
    skips[3::2] = np.where(labels[3::2] != labels[1:-2:2], 0.0, -np.inf)
    score = np.full(states, -np.inf)
    score[:2] = chances[0, :2]
    steps = np.zeros((len(frames), states), np.int64)
    ways = np.full((3, states), -np.inf)
    columns = np.arange(states)
    for t in range(1, len(frames)):
        ways[0], ways[1, 1:], ways[2, 2:] = score, score[:-1], score[:-2]
        ways[2] += skips
        steps[t] = ways.argmax(axis=0)
        score = ways[steps[t], columns] + chances[t]
    state = states - 1 if states == 1 or score[-1] >= score[-2] else states - 2
    if not np.isfinite(score[state]):
        return ()
    path = []
    for t in range(len(frames) - 1, -1, -1):
        path.append(state)
        state -= int(steps[t, state])
    path.reverse()
    places = np.array(path)
    runs = []
    for i, digit in enumerate(text):
        own = np.flatnonzero(places == 2 * i + 1)
        runs.append(Run(digit=int(digit), start=int(own[0]), end=int(own[-1]) + 1))
    return tuple(runs)
