"""Whether two machines said the same, by the files in their folders: scripts/pi/compare.py BOARD HERE.

8-bit results must be equal bit for bit. The strip model's last layer adds floats, in an order that differs between
processors: the 8-bit tensor before it must be equal, and its logits to 0.001, of which one 8-bit step would make 0.01.
OpenCV rounds a pixel in twenty to another grey: of pictures, texts and statuses must be equal and confidences to 0.02;
of the run the numbers of its first scene that it is sure of. How many frames that takes may differ, and numbers that
it is hardly sure enough of to tell. Exit 20 if not.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

_NEAR = 0.02
_SAME_LOGIT = 0.001
_SCENE_FRAMES = 45  # of the demo's scenes, at the least


def main(board: Path, here: Path) -> int:
    """Print a line for each thing compared; 0 if all are the same."""
    ours, theirs = np.load(board / "outputs.npz"), np.load(here / "outputs.npz")
    good = True
    for model in ours.files:
        one, other = ours[model], theirs[model]
        if np.issubdtype(one.dtype, np.integer):
            agreed, rule = np.array_equal(one, other), "bit for bit"
        else:
            apart = float(np.abs(one - other).max())
            agreed, rule = apart <= _SAME_LOGIT, f"floats, at most {apart:.1g} apart"
        good &= agreed
        print(f"{model}: {'' if agreed else 'NOT '}equal, {rule}, n={len(one)}")
    pages = [_lines(folder / "read.jsonl") for folder in (board, here)]
    agreed = len(pages[0]) == len(pages[1]) > 0 and all(map(_near, *pages))
    print(f"read: {'' if agreed else 'NOT '}the same, n={len(pages[0])}")
    shown = [_shown(_lines(folder / "run.jsonl")) for folder in (board, here)]
    told = shown[0] == shown[1] and bool(shown[0])
    print(f"run: {'' if told else 'NOT '}the same: {' '.join(shown[0])}{'' if told else f', here {shown[1]}'}")
    return 0 if good and agreed and told else 20


def _lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def _shown(events: list[Any]) -> list[str]:
    """The numbers of the first scene that were read for sure."""
    return sorted({one["text"] for one in events if one["frame"] < _SCENE_FRAMES and one["status"] == "read"})


def _near(one: Any, other: Any) -> bool:
    """Equal but for ids, durations and the last digits of numbers."""
    if isinstance(one, dict) and isinstance(other, dict):
        own = {"ms", "id", "track", "alternatives"}
        return one.keys() == other.keys() and all(_near(one[key], other[key]) for key in one if key not in own)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_near, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= _NEAR
    return bool(one == other)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
