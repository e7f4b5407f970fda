"""Given values written by hand into a printed page of a form: MNIST digits, a hand a page; seeded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from edge.forms.template import BoxMm, Slot, Template
from tests.forms.sheets import Made, mnist_digits, write_digit

# A free number is written with digits of so many mm, or what its box leaves, this much of them apart.
_NUMBER_MM, _STEP = 7.0, 0.78


def written(
    made: Made, template: Template, values: Mapping[str, str], rng: np.random.Generator, *, page: int = 1
) -> Made:
    """The page with these values, by names of slots, in its boxes: a digit to a cell from the left, numbers freely."""
    images, labels = mnist_digits()
    ink = rng.uniform(20, 70, 3)
    done = dict(made.values)
    for slot in template.slots(page):
        text = values.get(slot.name, "")
        done[slot.name] = text
        for character, cell in zip(text, _places(slot, len(text), rng), strict=False):
            digit = images[rng.choice(np.flatnonzero(labels == int(character)))]
            corners = made.points([cell[:2], (cell[0] + cell[2], cell[1] + cell[3])])
            write_digit(made.pixels, digit, corners, ink, rng)
    return replace(made, values=done)


def _places(slot: Slot, digits: int, rng: np.random.Generator) -> tuple[BoxMm, ...]:
    if slot.field.kind == "digit":
        return slot.cells_mm
    left, top, width, height = slot.box_mm
    side = min(_NUMBER_MM, height - 2, (width - 4) / max(digits, 1) / _STEP)
    start = left + 2 + rng.uniform(0, max(0.1, width - 6 - digits * side * _STEP))
    return tuple((start + place * side * _STEP, top + (height - side) / 2, side, side) for place in range(digits))
