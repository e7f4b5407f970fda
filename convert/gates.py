"""What a quantized model must keep; apart from the figures, so that `--help` starts without numpy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """What a model must keep: max_drop in points of accuracy, the agreements in percent of top-1."""

    max_drop: float = 0.1
    min_agreement: float = 99.5
    min_between: float = 99.95


# What is asked of digit models unless said otherwise.
DIGIT_GATES = Gates()
