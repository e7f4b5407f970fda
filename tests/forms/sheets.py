"""Pages made of a form of our own: printed, filled in with MNIST digits, scanned badly or photographed; seeded."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import numpy.typing as npt

from edge.forms.make.blank import write_blank
from edge.forms.template import Template
from edge.values import Image

Floats = npt.NDArray[np.float64]

MM_PER_INCH = 25.4
# What the target of a scan there and back allows.
DPIS = (150, 200, 300)
SKEW_DEG, SCALES, QUALITIES, DARKEST, NOISE = 15.0, (0.9, 1.1), (60, 95), 0.5, 10.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made:
    """A made page: pixels (H, W, 3) BGR; values by the names of its slots; to_px (3, 3): where its mm really are.

    lost: the corner, clockwise from the top left, whose mark is hidden or torn off.
    """

    pixels: Image
    values: dict[str, str]
    to_px: Floats
    dpi: int
    lost: int | None = None

    def points(self, mm: npt.ArrayLike) -> Floats:
        """Pixels (n, 2) where places (n, 2) in mm really are."""
        places = np.asarray(mm, np.float64).reshape(-1, 2)
        x, y, w = self.to_px @ np.vstack((places.T, np.ones(len(places))))
        return np.stack((x / w, y / w), axis=1)


@lru_cache(maxsize=1)
def mnist_digits() -> tuple[Image, Image]:
    """Digits (n, 28, 28), 0 paper to 255 ink, and their labels (n,): of the MNIST test set, as the demo has them."""
    with as_file(files("edge.sources") / "demo_digits.npz") as place, np.load(place) as data:
        return data["images"], data["labels"]


@lru_cache(maxsize=24)
def _printed(template: Template, dpi: int) -> tuple[Image, ...]:
    import pypdfium2

    with TemporaryDirectory() as folder:
        file = Path(folder) / "blank.pdf"
        write_blank(template, file)
        document = pypdfium2.PdfDocument(file)
        try:
            return tuple(page.render(scale=dpi / 72).to_numpy()[:, :, :3].copy() for page in document)
        finally:
            document.close()


def printed(template: Template, *, page: int = 1, dpi: int = 200) -> Made:
    """A blank page of a template with marks, as printed: pixels straight from the PDF."""
    pixels = _printed(template, dpi)[page - 1].copy()
    width, height = template.size_mm
    across, down = pixels.shape[1] / width, pixels.shape[0] / height
    to_px = np.array([[across, 0, -0.5], [0, down, -0.5], [0, 0, 1]])
    values = {slot.name: "" for slot in template.slots(page)}
    return Made(pixels=pixels, values=values, to_px=to_px, dpi=dpi)


def ruled(template: Template, *, dpi: int = 150, margin_mm: float = 25.0) -> Made:
    """A sheet with a printed rectangle and the lines of its cells, for a template that is found by its frame."""
    width, height = template.size_mm
    scale = dpi / MM_PER_INCH
    size = round((height + 2 * margin_mm) * scale), round((width + 2 * margin_mm) * scale)
    to_px = np.array([[scale, 0, margin_mm * scale - 0.5], [0, scale, margin_mm * scale - 0.5], [0, 0, 1]])
    values = {slot.name: "" for slot in template.slots(1)}
    made = Made(pixels=np.full((*size, 3), 244, np.uint8), values=values, to_px=to_px, dpi=dpi)
    cells = [cell for slot in template.slots(1) for cell in slot.cells_mm]
    for (left, top, across, down), thick in [*((cell, 0.3) for cell in cells), ((0.0, 0.0, width, height), 0.8)]:
        corners = made.points([(left, top), (left + across, top + down)])
        start, end = np.round(corners * 16).astype(int).tolist()
        cv2.rectangle(made.pixels, start, end, (40, 40, 40), max(1, round(thick * scale)), cv2.LINE_AA, 4)
    return made


def filled(template: Template, rng: np.random.Generator, *, page: int = 1, dpi: int = 200, part: float = 1.0) -> Made:
    """A page whose digit cells hold MNIST digits: all of them, or each slot with the probability `part`."""
    return written(printed(template, page=page, dpi=dpi), template, rng, page=page, part=part)


def written(made: Made, template: Template, rng: np.random.Generator, *, page: int = 1, part: float = 1.0) -> Made:
    """A made page with MNIST digits in its digit cells: in all of them, or in each slot with the probability `part`."""
    images, labels = mnist_digits()
    values = dict(made.values)
    ink = rng.uniform(15, 75, 3)
    for slot in template.slots(page):
        if slot.field.kind != "digit" or rng.random() >= part:
            continue
        chosen = rng.integers(len(images), size=len(slot.cells_mm))
        values[slot.name] = "".join(str(labels[i]) for i in chosen)
        for i, cell in zip(chosen, slot.cells_mm, strict=True):
            write_digit(
                made.pixels, images[i], made.points([cell[:2], (cell[0] + cell[2], cell[1] + cell[3])]), ink, rng
            )
    return replace(made, values=values)


def write_digit(pixels: Image, digit: Image, corners: Floats, ink: Floats, rng: np.random.Generator) -> None:
    """One digit into the cell between two corners, about 0.7 of it high."""
    (left, top), (right, bottom) = corners
    side = min(right - left, bottom - top) * rng.uniform(0.85, 1.0)  # the digit is 20 of 28
    x = (left + right) / 2 + rng.uniform(-0.06, 0.06) * (right - left)
    y = (top + bottom) / 2 + rng.uniform(-0.06, 0.06) * (bottom - top)
    size = max(8, round(side))
    drawn = cv2.resize(digit, (size, size), interpolation=cv2.INTER_CUBIC).astype(np.float64)[:, :, None] / 255
    x0, y0 = round(x - size / 2), round(y - size / 2)
    place = pixels[y0 : y0 + size, x0 : x0 + size]
    drawn = np.clip(drawn[: place.shape[0], : place.shape[1]], 0, 1)
    place[:] = np.round(place * (1 - drawn) + np.minimum(place, ink) * drawn)


def without_mark(made: Made, template: Template, corner: int, rng: np.random.Generator) -> Made:
    """The page with one of its marks under a piece of paper, or torn off."""
    assert template.marks is not None
    left, top, width, height = template.marks.boxes_mm(template.size_mm)[corner]
    pixels = made.pixels.copy()
    if rng.random() < 0.5:
        slip = made.points([(left - 2, top - 2), (left + width + 2, top + height + 2)]).astype(int)
        grey = tuple(rng.uniform(150, 255) for _ in range(3))
        cv2.rectangle(pixels, slip[0].tolist(), slip[1].tolist(), grey, -1)
    else:
        away = template.marks.inset_mm + template.marks.size_mm
        x, y = (left + width / 2 > template.size_mm[0] / 2), (top + height / 2 > template.size_mm[1] / 2)
        at = np.array([x * template.size_mm[0], y * template.size_mm[1]])
        inward = np.array([-1 if x else 1, -1 if y else 1])
        torn = [at, at + inward * (2.1 * away, 0), at + inward * (0, 2.1 * away)]
        cv2.fillConvexPoly(pixels, made.points(torn).astype(np.int32), tuple(rng.uniform(20, 245, 3)))
    return replace(made, pixels=pixels, lost=corner)


def bent(made: Made, by_mm: float) -> tuple[Made, npt.NDArray[np.float64]]:
    """The page as bent paper shows it, up to by_mm off its place, and that shift (2, H, W) of its pixels x, y.

    What the page shows at a pixel p of `to_px` is now at p - shift(p), as exactly as it matters.
    """
    height, width = made.pixels.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    much = by_mm * made.dpi / MM_PER_INCH
    across = much * np.sin(np.pi * y / height) * np.cos(np.pi * x / width / 2)
    down = much * np.sin(np.pi * x / width)
    pixels = cv2.remap(made.pixels, x + across, y + down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return replace(made, pixels=pixels), np.stack((across, down)).astype(np.float64)


def moved(made: Made, matrix: Floats, size: tuple[int, int], lid: tuple[float, float, float]) -> Made:
    """The page after a homography of its pixels, in a picture (width, height) on a lid of a colour."""
    pixels = cv2.warpPerspective(made.pixels, matrix, size, flags=cv2.INTER_AREA, borderValue=lid)
    return replace(made, pixels=pixels, to_px=matrix @ made.to_px)


def skewed(made: Made, degrees: float, scale: float, lid: tuple[float, float, float] = (235, 235, 235)) -> Made:
    """The page turned clockwise and scaled, in a picture that holds all of it."""
    height, width = made.pixels.shape[:2]
    a = math.radians(degrees)
    turn = scale * np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    corners = turn @ np.array([[0, width, width, 0], [0, 0, height, height]])
    low = corners.min(axis=1)
    size = np.ceil(corners.max(axis=1) - low).astype(int) + 8
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = turn, 4 - low
    return moved(made, matrix, (int(size[0]), int(size[1])), lid)


def quarter(made: Made, turns: int) -> Made:
    """The page after so many clockwise quarter turns of its pixels."""
    for _ in range(turns % 4):
        height = made.pixels.shape[0]
        matrix = np.array([[0, -1, height - 1.0], [1, 0, 0], [0, 0, 1]])
        made = replace(made, pixels=cv2.rotate(made.pixels, cv2.ROTATE_90_CLOCKWISE), to_px=matrix @ made.to_px)
    return made


def photographed(made: Made, rng: np.random.Generator, *, tilt: float = 0.12) -> Made:
    """The page from aside on a dark table: each corner is up to tilt of the page's width off its place."""
    height, width = made.pixels.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = (corners + rng.uniform(0, tilt, (4, 2)) * width * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])).astype(
        np.float32
    )
    matrix = cv2.getPerspectiveTransform(corners, seen + 0.05 * width).astype(np.float64)
    return moved(made, matrix, (round(1.1 * width), round(height + 0.1 * width)), (52, 60, 70))


def lit(made: Made, rng: np.random.Generator, *, darkest: float, noise: float, quality: int) -> Made:
    """The page under light that falls off evenly to `darkest`, with sensor noise (sigma of 255), as a JPEG."""
    height, width = made.pixels.shape[:2]
    x, y = np.arange(width, dtype=np.float32)[None], np.arange(height, dtype=np.float32)[:, None]
    a = rng.uniform(0, 2 * math.pi)
    ramp = math.cos(a) * x / width + math.sin(a) * y / height
    ramp = (ramp - ramp.min()) / (ramp.max() - ramp.min())
    light = made.pixels * (1 - (1 - darkest) * ramp)[:, :, None]
    unrest = rng.standard_normal(light.shape, np.float32)
    unrest *= noise  # in place: a sheet is thirty million numbers
    light += unrest
    np.clip(np.rint(light, out=light), 0, 255, out=light)
    pixels = light.astype(np.uint8)
    _, content = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return replace(made, pixels=cv2.imdecode(content, cv2.IMREAD_COLOR))


def scanned(template: Template, seed: int, *, page: int = 1, lose: bool | None = None) -> Made:
    """The seed's page there and back: printed, filled in, one mark in a fifth of the pages lost, scanned badly."""
    rng = np.random.default_rng((404, seed))
    dpi = int(rng.choice(DPIS))
    made = filled(template, rng, page=page, dpi=dpi)
    if (rng.random() < 0.2) if lose is None else lose:
        made = without_mark(made, template, int(rng.integers(4)), rng)
    lid = float(rng.choice((30.0, 235.0, 250.0)))
    made = skewed(made, rng.uniform(-SKEW_DEG, SKEW_DEG), rng.uniform(*SCALES), (lid, lid, lid))
    return lit(
        made,
        rng,
        darkest=rng.uniform(DARKEST, 1),
        noise=rng.uniform(0, NOISE),
        quality=int(rng.integers(QUALITIES[0], QUALITIES[1] + 1)),
    )
