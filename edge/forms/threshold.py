"""The confidence from which values count as sure, chosen on pages that are known, so that few of them are wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from edge.errors import GateError, UsageError
from edge.forms.truth import Truth
from edge.forms.values import FormPage

# The chance that more than was asked for is wrong after all.
_RISK = 0.05
# Parts of the known values, the surest first, that are tried one after the other until one has too many wrong.
_PARTS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 1.0)
_HALVINGS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A threshold, how many of the known values reach it, how many of those are wrong, and of how many it was chosen.

    upper: the share that may be wrong on other pages of the kind, with 95 % confidence.
    """

    threshold: float
    reached: int
    wrong: int
    known: int
    upper: float

    def __str__(self) -> str:
        return (
            f"threshold {self.threshold:.4f}: {self.reached} of {self.known} known values are sure, {self.wrong} of "
            f"those wrong; on other pages at most {100 * self.upper:.2f} % with 95 % confidence"
        )


def choose_threshold(pages: Iterable[FormPage], truth: Truth, max_error: float) -> Chosen:
    """The lowest threshold at which, with 95 % confidence, at most max_error (0 to 1) of the sure values are wrong.

    pages: as a FormReader with threshold 0 reads them, so that `review` is for what no confidence helps. Values are
    taken as independent; a wrong value is any that is not what truth knows, on a field with ink or without. From the
    surest half on more and more are taken, as long as the bound holds (fixed sequence testing: Angelopoulos et al.,
    Learn then test, 2021). Raises UsageError for an impossible max_error, GateError if no threshold is good enough.
    """
    if not 0.0 < max_error < 1.0:
        raise UsageError(f"--max-error {max_error}: name a share above 0 and below 1, such as 0.005")
    known = sorted(_known(pages, truth), reverse=True)
    if not known:
        raise UsageError("--truth: none of its fields was read for sure; its file names are those of SCANS")
    chosen = None
    for part in _PARTS:
        threshold = known[math.ceil(part * len(known)) - 1][0]
        rights = [right for confidence, right in known if confidence >= threshold]
        wrong = len(rights) - sum(rights)
        if error_bound(0, len(rights)) > max_error:
            continue  # too few to show it, whatever they are
        upper = error_bound(wrong, len(rights))
        if upper > max_error:
            break
        chosen = Chosen(threshold=threshold, reached=len(rights), wrong=wrong, known=len(known), upper=upper)
    if chosen is None:
        needed = math.ceil(math.log(_RISK) / math.log1p(-max_error))
        raise GateError(
            f"--max-error {max_error:g}: {len(known)} known values do not show it; at least {needed} are needed, all "
            "of them right; label more pages, or allow more errors"
        )
    return chosen


def error_bound(wrong: int, n: int) -> float:
    """The share of errors above which wrong or fewer of n, at least one, would be seen once in twenty times.

    Clopper and Pearson, The use of confidence or fiducial limits, Biometrika 26 (1934); one-sided.
    """
    if wrong >= n:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_most(wrong, n, middle) > _RISK:
            low = middle
        else:
            high = middle
    return high


def _at_most(wrong: int, n: int, share: float) -> float:
    """The probability of at most wrong errors in n, each with the probability share (above 0, below 1)."""
    whole = math.lgamma(n + 1)
    logs = (
        whole - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(share) + (n - k) * math.log1p(-share)
        for k in range(wrong + 1)
    )
    return math.fsum(math.exp(log) for log in logs)


def _known(pages: Iterable[FormPage], truth: Truth) -> list[tuple[float, bool]]:
    """Confidence of each value that is sure but for its confidence, and whether it is right."""
    found = []
    for page in pages:
        told = truth.of(page.source, page.page_number)
        for field in page.fields:
            known = told.get(field.name)
            if known is not None and known.kind != "ambiguous" and field.status == "read":
                found.append((field.confidence, field.value == known.value))
    return found
