"""Forms to lay pages over, and how exactly a page was laid."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from edge.forms.sheet.laid import Laid
from edge.forms.template import Field, Marks, Template
from tests.forms.sheets import Made, lit

ACCOUNT = Field(name="account", kind="digit", box_mm=(25.0, 40.0, 80.0, 8.0), columns=10)
SCORES = Field(name="scores", kind="digit", layout="grid", box_mm=(25.0, 70.0, 45.0, 60.0), rows=6, columns=5)
# A5 with marks, and its sisters with the same marks
FORM = Template(
    name="club",
    version=2,
    registration="marks",
    size_mm=(148.0, 210.0),
    fields=(ACCOUNT, SCORES),
    sha256="club",
    marks=Marks(),
)
OTHER = replace(FORM, name="gym", sha256="gym", fields=(replace(SCORES, box_mm=(60.0, 50.0, 45.0, 60.0)),))
TWO_PAGES = replace(FORM, name="long", sha256="long", fields=(ACCOUNT, replace(SCORES, page=2)))
# a squared rectangle, and one with columns at its right only
SQUARES = Template(
    name="squares",
    version=1,
    registration="frame",
    size_mm=(108.0, 108.0),
    fields=(replace(SCORES, name="grid", box_mm=(0.0, 0.0, 108.0, 108.0), rows=9, columns=9),),
    sha256="squares",
    orientation="auto",
)
COLUMNS = replace(
    SQUARES,
    name="columns",
    size_mm=(120.0, 90.0),
    fields=(replace(SCORES, name="marks", box_mm=(80.0, 10.0, 40.0, 80.0), rows=10, columns=3),),
    sha256="columns",
)


def corners_mm(template: Template, page: int = 1) -> np.ndarray:
    cells = np.array([cell for slot in template.slots(page) for cell in slot.cells_mm])
    return np.concatenate([cells[:, :2] + cells[:, 2:] * at for at in ((0, 0), (0, 1), (1, 0), (1, 1))])


def farthest_mm(laid: Laid, made: Made, page: int = 1) -> float:
    """How far the farthest corner of a cell was laid from where it is."""
    assert laid.template is not None
    assert laid.sheet is not None
    mm = corners_mm(laid.template, page)
    off = np.hypot(*(laid.sheet.points(mm) - made.points(mm)).T)
    return float(off.max() / laid.sheet.px_per_mm((50.0, 50.0)))


def shot(made: Made, seed: int = 0) -> Made:
    return lit(made, np.random.default_rng(seed), darkest=0.7, noise=5, quality=80)


def fur(seed: int = 0) -> np.ndarray:
    """Something soft and striped."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.integers(0, 255, (30, 40), np.uint8), (800, 600), interpolation=cv2.INTER_CUBIC)
    hairs = cv2.GaussianBlur(rng.integers(0, 255, (600, 800), np.uint8), (3, 21), 0)
    return cv2.addWeighted(coarse, 0.6, hairs, 0.8, -60)
