"""What a quantized model must keep; apart from the figures, so that `--help` starts without numpy."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """What a model must keep: max_drop in points of accuracy, the agreements in percent of top-1."""

    max_drop: float = 0.1
    min_agreement: float = 99.5
    min_between: float = 99.95


# What is asked unless said otherwise: of digit models, and of strip models, where a digit of many makes a text differ.
DIGIT_GATES = Gates()
STRIP_GATES = Gates(max_drop=1.0, min_agreement=98.5, min_between=98.5)


def gates_for(task: str, *, max_drop: float | None = None, min_agreement: float | None = None) -> Gates:
    """The gates of a task, `digit` or `strip`, with what was said otherwise."""
    usual = STRIP_GATES if task == "strip" else DIGIT_GATES
    return replace(
        usual,
        max_drop=usual.max_drop if max_drop is None else max_drop,
        min_agreement=usual.min_agreement if min_agreement is None else min_agreement,
    )
