"""What a run leaves of how its model does, for `edge doctor` to read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FILE = "model-use.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastingFigures:
    """The latest figures of a run: the model's name, time in s since the epoch, n, and what there is to say of them.

    left: of those that are worse than expected, empty if none is.
    """

    model: str
    time: float
    n: int
    all: str
    left: str

    @staticmethod
    def read(file: Path) -> LastingFigures | None:
        """What a run left in a file; None if none did, or it is nothing of this version's. Raises OSError."""
        try:
            with file.open("rb") as stream:
                raw = json.loads(stream.read(100_000))
            return LastingFigures(
                model=str(raw["model"])[:200],
                time=float(raw["time"]),
                n=int(raw["n"]),
                all=str(raw["all"])[:1000],
                left=str(raw["left"])[:1000],
            )
        except (FileNotFoundError, ValueError, OverflowError, KeyError, TypeError, RecursionError):
            return None
