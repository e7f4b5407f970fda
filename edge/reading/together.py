"""Two networks' opinions of one number put together: the one that names digits, and the one that reads it whole.

They learnt from the same digits and err alike: where both are wrong they mostly agree. So they count as one opinion,
the geometric mean of both (Hinton, Products of experts, 2002), and not as two that confirm each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from edge.values import Digit

# No digit is less probable than this to one network, so that it alone cannot rule it out.
_LEAST = 1e-3
_ALTERNATIVES = 3
# Where the two differ in more than a digit the one that reads the number whole is right more often: the other has to be
# so much surer.
_MUCH_SURER = 3.0


def text_of(digits: Sequence[Digit]) -> str:
    """The digits as one text."""
    return "".join(str(digit.digit) for digit in digits)


def put_together(
    named: tuple[Digit, ...], confidence: float, whole: tuple[Digit, ...], sure: float
) -> tuple[tuple[Digit, ...], float]:
    """The Digits and confidence of a number whose digits were named one by one, and that was read whole.

    confidence, sure: of the whole text, each. Boxes are those of the Digits that are taken; named's where both count.
    """
    if len(named) == len(whole):
        pooled = tuple(_pooled(one, other) for one, other in zip(named, whole, strict=True))
        return pooled, math.prod(digit.confidence for digit in pooled)
    own = confidence >= sure if _is_left_out(text_of(named), text_of(whole)) else confidence >= _MUCH_SURER * sure
    # Both cannot be right: what speaks for one speaks against the other.
    taken, other = (confidence, sure) if own else (sure, confidence)
    return (named if own else whole), taken * (1 - other) / max(_LEAST, 1 - taken * other)


def _is_left_out(longer: str, shorter: str) -> bool:
    """True if one text is the other without one of its digits."""
    return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))


def _pooled(one: Digit, other: Digit) -> Digit:
    """The Digit that both make together, with the box of the first."""
    weights = [math.sqrt(max(_LEAST, one.share(d)) * max(_LEAST, other.share(d))) for d in range(10)]
    total = sum(weights)
    first, *rest = sorted(range(10), key=lambda d: -weights[d])
    return Digit(
        digit=first,
        confidence=weights[first] / total,
        box=one.box,
        alternatives=tuple((d, weights[d] / total) for d in rest[:_ALTERNATIVES]),
    )
