"""How sure a measured share is: every accuracy of the project is shown with this interval."""

from __future__ import annotations

import math

# The two-sided 95 % quantile of the normal distribution.
_Z = 1.959964


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95 % interval (low, high), in 0 to 1, of a share of which right of n were seen; (0, 1) for n = 0.

    Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    if not n:
        return 0.0, 1.0
    share, weight = right / n, _Z * _Z / n
    middle = (share + weight / 2) / (1 + weight)
    half = _Z / (1 + weight) * math.sqrt(share * (1 - share) / n + weight / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)
