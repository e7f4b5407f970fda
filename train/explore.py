"""A first look at the data: shapes, how many of each label, 24 of them drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from train.data import load_data
from train.plots import COLUMNS, ROWS, draw_digits
from train.run import make_folder, write_file


def explore(data: Path | None, *, seed: int, output: Path) -> str:
    """The shapes of the four arrays and the label counts as text; draws 24 random training digits to `output`."""
    found = load_data(data)
    arrays = {name: getattr(found, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    lines = [f"{found.name}  sha256 {found.sha256}", ""]
    # y are kept as whole numbers that index labels; their width says nothing about the data.
    lines += [f"{name:8} {array.shape!s:16} {array.min()} to {array.max()}" for name, array in arrays.items()]
    lines += ["", "label    train   test"]
    for index, label in enumerate(found.labels):
        train, test = (int(np.count_nonzero(y == index)) for y in (found.y_train, found.y_test))
        lines.append(f"{label:>5} {train:8,} {test:6,}")
    lines.append(f"  all {len(found.y_train):8,} {len(found.y_test):6,}")
    n = min(ROWS * COLUMNS, len(found.x_train))
    chosen = np.random.default_rng(seed).choice(len(found.x_train), n, replace=False)
    captions = [found.labels[found.y_train[i]] for i in chosen]
    make_folder(output.parent)
    title = f"{n} of {len(found.x_train):,} training digits ({found.name}, seed {seed})"
    write_file(output, draw_digits(found.x_train[chosen], captions, title))
    lines += ["", f"{n} of them in {output}"]
    return "\n".join(lines)
