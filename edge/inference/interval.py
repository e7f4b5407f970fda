"""How sure a measured share is: every accuracy of the project is shown with this interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

# The two-sided 95 % quantile of the normal distribution.
_Z = 1.959964


def wilson(right: int, n: int, *, z: float = _Z) -> tuple[float, float]:
    """The interval (low, high), in 0 to 1, of a share of which right of n were seen; (0, 1) for n = 0.

    z: half its width in standard errors; 95 % unless said. Wilson, Probable inference, the law of succession, and
    statistical inference, JASA 22 (1927).
    """
    return _wilson(right / n, n, z) if n else (0.0, 1.0)


def _wilson(share: float, n: float, z: float) -> tuple[float, float]:
    weight = z * z / n
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / n + weight / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def wilson_of_blocks(right: Sequence[bool], blocks: int = 16, *, z: float = _Z) -> tuple[float, float]:
    """The interval of a share of items in an order in which neighbours are alike: by a writer, from one sheet.

    The items are cut into blocks of neighbours; as much as the blocks differ beyond chance, so many fewer items stand
    behind the share (the design effect: Kish, Survey Sampling, 1965), and Wilson's interval is that of so few. Never
    narrower than `wilson`; the same for fewer items than two a block. z as there.
    """
    n, hits = len(right), sum(right)
    share = hits / n if n else 0.0
    if n < 2 * blocks or not 0 < share < 1:
        return wilson(hits, n, z=z)
    ends = [n * block // blocks for block in range(blocks + 1)]
    surplus = [sum(right[a:b]) - share * (b - a) for a, b in pairwise(ends)]
    variance = blocks / (blocks - 1) * sum(one * one for one in surplus)
    effect = max(1.0, variance / (n * share * (1 - share)))
    return _wilson(share, n / effect, z)
