"""How long to wait before what failed is tried again: a camera, a broker, a web address."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait after a failure: from first_s, doubled each time up to most_s; refused_s when a person must act.

    A random part of up to half is taken off, so that many boards do not come back to a server in the same moment.
    """

    first_s: float = 1.0
    most_s: float = 60.0
    refused_s: float = 60.0

    def after(self, failures: int, *, refused: bool = False) -> float:
        """Seconds to wait after so many failures in a row."""
        whole = self.refused_s if refused else min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return whole * random.uniform(0.5, 1.0)
