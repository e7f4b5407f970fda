"""A look at the data: shapes, how many of each label, 24 of them drawn; and at what a network is shown in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.errors import UsageError
from train.data import Data, load_data, split
from train.plots import COLUMNS, ROWS, draw_digits, draw_rows, draw_strips
from train.run import make_folder, write_file
from train.settings import FitSettings

# The sheet of what the paper network sees: a row a label, more for what is no digit, for that is many things.
SHEET_COLUMNS, NONE_ROWS = 16, 4
SHEET_STRIPS = 36
# Of a mix of labels so many are made until each has its row; a label short of it would be a fault of the mix.
_MADE = 1200


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


def explore_augmented(model: str, data: Path | None, *, seed: int, output: Path) -> str:
    """A sheet of what the `paper` or the `strip` network is shown in training, made of the data; says where it is.

    Raises UsageError for a network that learns from the data as they are.
    """
    if model not in ("paper", "strip"):
        raise UsageError(f"--augmented --model {model}: learns from the digits as they are; paper and strip do not")
    make_folder(output.parent)
    found = load_data(data)
    if model == "strip":
        write_file(output, _strip_sheet(found, seed))
        return f"{SHEET_STRIPS} strips as the strip network sees them, with their texts, in {output}"
    write_file(output, _paper_sheet(found, seed))
    return f"digits as the paper network sees them, a row a label, and what is no digit, in {output}"


def explore_forms(*, seed: int, output: Path) -> str:
    """A sheet of the written forms that are drawn as strokes, and of the marks; says where it is."""
    from train.form_sheet import draw_forms_sheet

    make_folder(output.parent)
    write_file(output, draw_forms_sheet(seed=seed))
    return f"the written forms of the digits, a row each, and marks that are none, in {output}"


def _paper_sheet(data: Data, seed: int) -> bytes:
    from train.stream import FIRST, NONE, synthesise

    parts = split(data, FitSettings().validation_split)
    images, labels = synthesise(parts.x_train, parts.y_train, FIRST, n=_MADE, seed=seed)
    rows = [(str(label), images[labels == label][:SHEET_COLUMNS]) for label in range(NONE)]
    others = images[labels == NONE]
    rows += [("none", others[at * SHEET_COLUMNS : (at + 1) * SHEET_COLUMNS]) for at in range(NONE_ROWS)]
    return draw_rows(rows, f"What the paper network sees (seed {seed})")


def _strip_sheet(data: Data, seed: int) -> bytes:
    from train.strip_pool import Making, make_strips, open_synthesiser

    parts = split(data, FitSettings().validation_split)
    synthesiser = open_synthesiser(parts.x_train, parts.y_train, Making(seed=seed, writers=SHEET_STRIPS))
    strips = make_strips(synthesiser, (seed,), SHEET_STRIPS)
    images = [image[:, :width] for image, width in zip(strips.images, strips.widths, strict=True)]
    return draw_strips(images, strips.texts, f"What the strip network sees (seed {seed})")
