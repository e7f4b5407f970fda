"""How long to wait before a lost camera is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

_FIRST_S = 0.5
_MOST_S = 30.0
_JITTER = 0.25  # so that many readers of one camera do not all come at once after its restart


@dataclass(slots=True, kw_only=True)
class Backoff:
    """Waiting times that double from first_s to most_s, each shortened or lengthened by up to a quarter at random.

    rng: seed it for times that repeat.
    """

    first_s: float = _FIRST_S
    most_s: float = _MOST_S
    rng: random.Random = field(default_factory=random.Random)
    tries: int = 0

    def next_s(self) -> float:
        """How long to wait now, in s; at most most_s and a quarter."""
        wait_s: float = min(self.most_s, self.first_s * 2.0 ** min(self.tries, 30))
        self.tries += 1
        return wait_s * self.rng.uniform(1 - _JITTER, 1 + _JITTER)

    def reset(self) -> None:
        """Begin again with first_s."""
        self.tries = 0
