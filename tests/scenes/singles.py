"""Photos of one written digit in a printed box, and of one written number, with their truth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.values import Image
from tests.scenes.camera import photograph
from tests.scenes.hand import pick_writer, write_line
from tests.scenes.surfaces import Field, Photo, cloud
from tests.scenes.things import light

_SIGNS = ("", "", "", "", ".", ",", ".-", "=")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Single:
    """One thing to read: pixels (H, W, 3) BGR uint8 and its digits."""

    pixels: Image
    text: str


def draw_cell(seed: int) -> Single:
    """A 64×64 photo of a box with one digit, which may touch the box; the box's lines run along the picture's edges."""
    rng = np.random.default_rng((seed, 64))
    text = str(rng.integers(10))
    tall = float(rng.uniform(28, 48))
    writer = pick_writer(rng, tall)
    ink, _ = write_line(rng, writer, text)
    rows = np.flatnonzero(ink.max(axis=1) > 0.05)
    ink = ink[rows[0] : rows[-1] + 1]
    paper = _paper(rng, (96, 96))
    # The photo is the middle of it: 64 pixels, the box's lines up to 6 px from their edges.
    left, top, right, bottom = (rng.uniform(-3, 5, 4) * (1, 1, -1, -1) + (16, 16, 80, 80)).tolist()
    lines = np.zeros((96, 96), np.uint8)
    box = np.round(np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) * 16).astype(np.int32)
    cv2.polylines(lines, [box], True, 255, int(rng.integers(1, 4)), cv2.LINE_AA, 4)
    paper *= 1 - lines[..., None] / np.float32(255) * np.float32(rng.uniform(0.4, 0.85))
    middle = (rng.normal((48, 48), 3.5) - np.array(ink.shape) / 2).round().astype(int).clip(8)
    place = paper[middle[0] : middle[0] + ink.shape[0], middle[1] : middle[1] + ink.shape[1]]
    place *= 1 - ink[: place.shape[0], : place.shape[1], None] * (1 - writer.color)
    turn = cv2.getRotationMatrix2D((48, 48), float(rng.normal(0, 1.5)), 1.0)
    paper = cv2.warpAffine(paper, turn, (96, 96), borderMode=cv2.BORDER_REPLICATE)[16:80, 16:80]
    paper = paper * _piece_of_light(rng, (64, 64))[..., None]
    return Single(pixels=photograph(rng, np.asarray(paper, np.float32), tall), text=text)


def draw_amount(seed: int) -> Single:
    """A tight photo of one number of 2 to 8 digits, some 40 px high, on paper with a pattern or a ruled line."""
    rng = np.random.default_rng((seed, 100))
    tall = float(rng.uniform(24, 52))
    writer = pick_writer(rng, tall)
    digits = "".join(map(str, rng.integers(0, 10, int(rng.integers(2, 9)))))
    point = int(rng.integers(1, len(digits))) if rng.random() < 0.4 else 0
    written = (digits[:point] + str(rng.choice((",", "."))) + digits[point:] if point else digits) + _SIGNS[
        rng.integers(8)
    ]
    ink, base = write_line(rng, writer, written)
    rows = np.flatnonzero(ink.max(axis=1) > 0.05)
    top, bottom = max(0, rows[0] - int(tall * rng.uniform(0.05, 0.25))), rows[-1] + int(tall * rng.uniform(0.05, 0.25))
    ink = np.pad(ink[top:bottom], ((0, 0), (int(tall * rng.uniform(0.1, 0.6)), int(tall * rng.uniform(0.1, 0.8)))))
    paper = _paper(rng, ink.shape)
    pattern = rng.choice(("none", "line", "guilloche"), p=(0.4, 0.3, 0.3))
    y, x = np.mgrid[0 : ink.shape[0], 0 : ink.shape[1]].astype(np.float32)
    if pattern == "line":
        paper *= 1 - 0.4 * np.exp(-((y - (base - top) - 0.05 * tall) ** 2))[..., None]
    elif pattern == "guilloche":
        bend = np.sin(2 * np.pi * x / (3 * tall)) * tall / 4
        paper *= (
            1 - 0.12 * (np.sin((y + bend) * 0.9) > 0.4)[..., None] - 0.1 * (np.sin((y - bend) * 0.9) > 0.4)[..., None]
        )
    paper *= 1 - ink[..., None] * (1 - writer.color)
    paper = (paper * _piece_of_light(rng, ink.shape)[..., None]).astype(np.float32)
    return Single(pixels=photograph(rng, paper, tall), text=digits)


def _paper(rng: np.random.Generator, shape: tuple[int, ...]) -> Photo:
    tint = np.array((rng.uniform(0.85, 1.0), 0.98, 1.0), np.float32) * np.float32(rng.uniform(215, 250))
    fibre = 1 + 0.01 * cloud(rng, (shape[0], shape[1]), 6, 2)
    return np.asarray(tint * fibre[..., None], np.float32)


def _piece_of_light(rng: np.random.Generator, shape: tuple[int, ...]) -> Field:
    """The light on a small part (H, W) of a sheet: shadows are larger than what is written."""
    height, width = shape[:2]
    whole = light(rng, (6 * max(shape), 6 * max(shape)))
    top, left = rng.integers(0, whole.shape[0] - height), rng.integers(0, whole.shape[1] - width)
    return whole[top : top + height, left : left + width]
