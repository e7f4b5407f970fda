"""How probably a find on a page is writing: logistic regression (Cox, 1958) on what was measured of it.

The weights, in odds.json beside this file, are learned by `scripts/odds` from drawn scenes alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

SINGLE, SEVERAL = "single", "several"
BIAS = "bias"


def probability_of_writing(values: Mapping[str, float], *, several: bool) -> float:
    """0 to 1, from measures by name; several: of a number with more digits than one."""
    weights = _weights()[SEVERAL if several else SINGLE]
    total = weights[BIAS] + sum(weight * values[name] for name, weight in weights.items() if name != BIAS)
    return 1 / (1 + math.exp(-max(min(total, 50.0), -50.0)))


@cache
def _weights() -> dict[str, dict[str, float]]:
    content = json.loads((files("edge.reading") / "odds.json").read_text("utf-8"))
    return {name: content[name] for name in (SINGLE, SEVERAL)}
