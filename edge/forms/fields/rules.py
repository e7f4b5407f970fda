"""What a field's check, range and roster make of what was read: the most probable text that keeps them all."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from edge.forms.checksum import load_check
from edge.forms.template import Field

# (n, 10) probability of each digit in each of n cells; what a row lacks of 1 is for ink that is no digit.
Chances: TypeAlias = npt.NDArray[np.float64]

# However sure a network is of a digit, it errs in so many of them, and then any digit may stand there.
_ERRS = 0.002
# So many written values break their field's rules: the writer's own mistake, a person who is not in the roster.
_BREAKS = 0.02
# Texts that are tried against a check until one keeps it, and until enough is known of its rivals; or until what is
# left untried is this part of the best one's probability.
_MOST_TEXTS, _ENOUGH_TEXTS = 3000, 100
_UNTRIED = 1e-3
# Of texts that nobody listed so many keep a rule: one check digit's.
_ONE_CHECK_DIGIT = 0.1
# A text that keeps the rules and is less probable than this is no better a guess than what was read.
_WORTH_GUESSING = 0.5
_ALTERNATIVES = 5
# Roster entries this many digits from what was read are looked at where digits have no cells of their own.
_NEAR = 2
_MOST_NEAR = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A value after its rules: raw is what was read, value what stands in the table; reason why it breaks a rule.

    confidence is the probability that value is right. alternatives: other texts that keep the rules, with their
    probability, the most probable first.
    """

    value: str
    raw: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...] = ()
    reason: str | None = None


class Rules:
    """The check, range and roster of one field, ready to judge texts."""

    def __init__(self, field: Field) -> None:
        """Raises UsageError if there is no such check, or python-stdnum is not installed."""
        self._check_name = field.check
        self._check = None if field.check is None else load_check(field.check)
        self._range = field.range
        self._roster = None
        if field.values is not None:
            self._roster = frozenset(text for text in field.values if self._keeps_sums(text))
            self._by_length = _by_length(sorted(self._roster))

    def __bool__(self) -> bool:
        """True if there is any rule."""
        return self._check is not None or self._range is not None or self._roster is not None

    def broken_by(self, text: str) -> str | None:
        """The first rule that a text of digits breaks, in words; None if it keeps them all."""
        if self._range is not None and not (text and self._range[0] <= int(text) <= self._range[1]):
            return f"not in the range {self._range[0]} to {self._range[1]}"
        if self._check is not None and not self._check(text):
            return f"its check digits ({self._check_name}) are wrong"
        if self._roster is not None and text not in self._roster:
            return "not one of the allowed values"
        return None

    def settle(self, chances: Chances) -> Settled:
        """The value of a row of n cells, at least one, by the chances (n, 10) of their digits."""
        best = chances.argmax(axis=1)
        raw = "".join([str(digit) for digit in best.tolist()])
        logs = np.log(chances * (1 - _ERRS) + _ERRS / 10)
        if self._roster is not None:
            kept, untried = self._listed(logs), 0.0
        else:
            kept, untried = self._tried(logs)
        return self._settled(raw, kept, untried)

    def settle_texts(self, texts: Sequence[tuple[str, float]]) -> Settled:
        """The value of a number by the (text, probability) of what it may say, at least one, most probable first."""
        raw, confidence = texts[0]
        if not self:
            return Settled(value=raw, raw=raw, confidence=confidence, alternatives=tuple(texts[1 : 1 + _ALTERNATIVES]))
        unlisted = _ONE_CHECK_DIGIT * max(0.0, 1 - sum(share for _, share in texts))
        return self._settled(raw, [one for one in texts if self.broken_by(one[0]) is None], unlisted)

    def near(self, text: str) -> tuple[str, ...]:
        """Roster entries of a text's length that differ from it in at most two digits, () without a roster."""
        if self._roster is None or len(text) not in self._by_length:
            return ()
        entries, digits = self._by_length[len(text)]
        off = sum((column != int(digit)).astype(np.int8) for column, digit in zip(digits, text, strict=True))
        close = np.flatnonzero(np.asarray(off) <= _NEAR)[:_MOST_NEAR]
        return tuple(entries[i] for i in close.tolist())

    def _keeps_sums(self, text: str) -> bool:
        """Whether a roster entry can be read at all and keeps the other rules."""
        if not (text.isascii() and text.isdigit()):
            return False
        in_range = self._range is None or self._range[0] <= int(text) <= self._range[1]
        return in_range and (self._check is None or self._check(text))

    def _listed(self, logs: npt.NDArray[np.float64]) -> list[tuple[str, float]]:
        """The most probable roster entries of this many digits, and last, as "", all others together."""
        if len(logs) not in self._by_length:
            return []
        entries, digits = self._by_length[len(logs)]
        scores = np.zeros(len(entries))
        for row, column in zip(logs, digits, strict=True):
            scores += row[column]
        chances = np.exp(scores)
        few = min(len(entries), 1 + _ALTERNATIVES)
        top = np.argpartition(-chances, few - 1)[:few]
        top = top[np.argsort(-chances[top], kind="stable")]
        kept = [(entries[i], float(chances[i])) for i in top.tolist()]
        rest = float(chances.sum()) - sum(share for _, share in kept)
        return [*kept, ("", max(0.0, rest))]

    def _tried(self, logs: npt.NDArray[np.float64]) -> tuple[list[tuple[str, float]], float]:
        """The most probable texts that keep the rules, and what the untried ones that do may amount to."""
        kept: list[tuple[str, float]] = []
        untried = 1.0
        for tries, (text, share) in enumerate(best_first(logs), 1):
            untried = max(0.0, untried - share)
            if self.broken_by(text) is None:
                kept.append((text, share))
            density = (1 + len(kept)) / (1 + tries)
            enough = kept and (tries >= _ENOUGH_TEXTS or untried * density < _UNTRIED * kept[0][1])
            if enough or tries >= _MOST_TEXTS:
                break
        return kept, untried * density

    def _settled(self, raw: str, kept: Sequence[tuple[str, float]], untried: float) -> Settled:
        """The best of the texts that keep the rules, beside the chance that what is written breaks them.

        A writer's mistake is as likely for one text as for another, so a text far from the ink stays improbable even
        if it is the only one that keeps the rules.
        """
        broken = self.broken_by(raw)
        total = sum(share for _, share in kept) + untried
        total += _BREAKS * max(0.0, 1 - total)
        listed = [(text, share / total) for text, share in kept if text]
        if not listed or listed[0][1] < _WORTH_GUESSING:
            rivals = tuple(one for one in listed if one[0] != raw)[:_ALTERNATIVES]
            own = next((share for text, share in listed if text == raw), 0.0)
            return Settled(value=raw, raw=raw, confidence=own, alternatives=rivals, reason=broken)
        (value, confidence), *others = listed
        return Settled(
            value=value,
            raw=raw,
            confidence=min(1.0, confidence),
            alternatives=tuple(others[:_ALTERNATIVES]),
        )


def best_first(logs: npt.NDArray[np.float64]) -> Iterator[tuple[str, float]]:
    """Every text of n digits with its probability, the most probable first, by (n, 10) logarithms of each digit's."""
    order = np.argsort(-logs, axis=1, kind="stable")
    ranked = np.take_along_axis(logs, order, axis=1)
    steps = (ranked[:, :1] - ranked).tolist()  # what it costs to take a cell's k-th digit
    digits = order.tolist()
    top = float(ranked[:, 0].sum())
    # Each choice is reached once: digits are changed from left to right, a rank at a time.
    heap: list[tuple[float, tuple[int, ...], int]] = [(0.0, (0,) * len(steps), 0)]
    while heap:
        cost, ranks, first = heapq.heappop(heap)
        yield "".join([str(digits[i][rank]) for i, rank in enumerate(ranks)]), math.exp(top - cost)
        for i in range(first, len(ranks)):
            rank = ranks[i] + 1
            if rank < 10:
                dearer = cost + steps[i][rank] - steps[i][rank - 1]
                heapq.heappush(heap, (dearer, (*ranks[:i], rank, *ranks[i + 1 :]), i))


def _by_length(texts: Sequence[str]) -> dict[int, tuple[tuple[str, ...], npt.NDArray[np.uint8]]]:
    """Texts of digits by their length m, each group with its digits (m, n)."""
    groups: dict[int, list[str]] = {}
    for text in texts:
        groups.setdefault(len(text), []).append(text)
    return {
        length: (
            tuple(group),
            np.frombuffer("".join(group).encode("ascii"), np.uint8).reshape(-1, length).T.copy() - ord("0"),
        )
        for length, group in groups.items()
    }
