"""Sheets of paper: blank, ruled, squared, torn, punched, coloured, cardboard, with print on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from tests.scenes.prints import print_letters, print_picture
from tests.scenes.surfaces import Field, Photo, cloud

Color: TypeAlias = tuple[float, float, float]

_PAPERS: dict[str, tuple[Color, float]] = {  # BGR, and how common
    "white": ((246, 248, 249), 0.45),
    "cream": ((216, 234, 242), 0.14),
    "grey": ((205, 210, 212), 0.08),
    "yellow": ((130, 226, 247), 0.13),
    "pink": ((214, 200, 244), 0.05),
    "blue": ((236, 216, 190), 0.05),
    "green": ((196, 232, 200), 0.04),
    "cardboard": ((105, 152, 190), 0.06),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """A sheet seen from above: pixels (H, W, 3) BGR and how much it covers, (H, W) 0 to 1."""

    pixels: Photo
    cover: Field


def draw_sheet(
    rng: np.random.Generator, shape: tuple[int, int], pitch_px: float, baseline: float, written: tuple[int, int]
) -> Sheet:
    """A sheet of paper without writing.

    Rules, where there are any, are pitch_px apart and run through the row `baseline`; print stays clear of the rows
    from written[0] to written[1].
    """
    color, _ = list(_PAPERS.values())[rng.choice(len(_PAPERS), p=[share for _, share in _PAPERS.values()])]
    board = color == _PAPERS["cardboard"][0]
    fibre = rng.normal(0, 0.006, shape).astype(np.float32) + (0.045 if board else 0.012) * cloud(rng, shape, 9, 3)
    pixels = np.array(color, np.float32) * np.float32(rng.uniform(0.93, 1.02)) * (1 + fibre)[..., None]
    kind = rng.choice(("blank", "ruled", "squared", "dots"), p=(0.4, 0.36, 0.19, 0.05))
    if kind != "blank" and not board:
        pixels *= 1 - _rules(rng, shape, str(kind), pitch_px, baseline)[..., None] * _rule_hue(rng)
    if kind == "ruled" and rng.random() < 0.5:
        pixels *= 1 - _margin_line(rng, shape)[..., None] * np.array((0.5, 0.45, 0.08), np.float32)
    _print(rng, pixels, written)
    if rng.random() < 0.15:  # what shines through from the back
        _show_through(rng, pixels)
    pixels *= _crumple(rng, shape)[..., None]
    return Sheet(pixels=np.clip(pixels, 0, 255).astype(np.float32), cover=_cover(rng, shape))


def _rules(rng: np.random.Generator, shape: tuple[int, int], kind: str, pitch: float, baseline: float) -> Field:
    """How much rules take away, 0 to 1."""
    height, width = shape
    step = pitch if kind == "ruled" else pitch / float(rng.choice((1, 2, 2)))
    thick = max(0.6, step * float(rng.uniform(0.015, 0.04)))
    y, x = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
    down = np.clip(thick / 2 + 0.5 - np.abs((y - baseline + step / 2) % step - step / 2), 0, 1)
    across = np.clip(thick / 2 + 0.5 - np.abs((x + step / 2) % step - step / 2), 0, 1)
    depth = np.float32(rng.uniform(0.12, 0.5))
    if kind == "ruled":
        return np.asarray(np.repeat(depth * down[:, None], width, axis=1), np.float32)
    if kind == "dots":
        return np.asarray(
            depth * cv2.GaussianBlur(np.outer(down, across).astype(np.float32), (3, 3), 0) * 1.5, np.float32
        )
    return np.asarray(depth * np.maximum(down[:, None], across[None]), np.float32)


def _rule_hue(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """How much of B, G, R a rule takes."""
    return np.array(((0.3, 0.65, 1.0), (0.9, 0.9, 0.9), (0.6, 0.8, 0.5))[rng.integers(3)], np.float32)


def _margin_line(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    field = np.zeros(shape, np.float32)
    left = int(shape[1] * rng.uniform(0.03, 0.07))
    field[:, left : left + max(1, shape[1] // 400)] = 0.8
    return field


def _print(rng: np.random.Generator, pixels: Photo, written: tuple[int, int]) -> None:
    """A letterhead above the writing and a picture or some print below, where there is room."""
    height, width = pixels.shape[:2]
    above, below = written[0] - 6, height - written[1] - 6
    if above > 0.09 * height and rng.random() < 0.5:
        tall = int(above * rng.uniform(0.45, 0.85))
        place = pixels[int(above * 0.08) : int(above * 0.08) + tall, int(0.08 * width) : int(0.92 * width)]
        (print_letters if rng.random() < 0.6 else print_picture)(rng, place)
    if below > 0.14 * height and rng.random() < 0.5:
        tall = int(below * rng.uniform(0.5, 0.85))
        left = int(width * rng.uniform(0.05, 0.45))
        place = pixels[height - tall - int(0.06 * below) : height - int(0.06 * below), left : left + int(0.5 * width)]
        (print_letters if rng.random() < 0.35 else print_picture)(rng, place)


def _show_through(rng: np.random.Generator, pixels: Photo) -> None:
    back = np.full_like(pixels, 255)
    print_letters(rng, back, lines=int(rng.integers(4, 14)))
    seen = cv2.GaussianBlur(np.ascontiguousarray(back[:, ::-1]), (0, 0), 2.0) / 255
    pixels *= 1 - 0.12 * (1 - seen)


def _crumple(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Light on folds and on paper that does not lie flat."""
    height, width = shape
    light = 1 + 0.02 * cloud(rng, shape, width / 2, 2)
    for _ in range(int(rng.choice((0, 0, 1, 2, 3)))):  # folds
        angle = float(rng.choice((0, np.pi / 2, rng.uniform(0, np.pi))))
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        far = (x - width * rng.uniform(0.2, 0.8)) * np.cos(angle) + (y - height * rng.uniform(0.2, 0.8)) * np.sin(angle)
        light += rng.uniform(-0.06, 0.06) * np.tanh(far / 4) * np.exp(-np.abs(far) / (width / 6))
        light -= rng.uniform(0.0, 0.1) * np.exp(-((far / 1.5) ** 2))
    if rng.random() < 0.15:  # crumpled once and smoothed out again
        relief = np.abs(cloud(rng, shape, width / 5, 3))
        light += 0.05 * np.clip(cv2.Sobel(cv2.GaussianBlur(relief, (0, 0), 2), cv2.CV_32F, 1, 1, ksize=5), -1.5, 1.5)
    return np.asarray(light, np.float32)


def _cover(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """The sheet's outline: clean cut, torn on a side, with the holes of a spiral or of a folder, or dog-eared."""
    height, width = shape
    cover = np.ones(shape, np.float32)
    kind = rng.choice(("plain", "torn", "spiral", "punched", "ear"), p=(0.55, 0.17, 0.12, 0.08, 0.08))
    if kind == "torn":
        edge = 0.012 * height * (1.5 + cloud(rng, (1, width), width / 6, 6)[0])
        cover *= np.clip(np.arange(height, dtype=np.float32)[:, None] - edge[None], 0, 1)
    elif kind in ("spiral", "punched"):
        pitch = 0.035 * width if kind == "spiral" else 0.3 * height
        radius = (0.3 * pitch) if kind == "spiral" else 0.012 * width
        mask = np.full(shape, 255, np.uint8)
        for at in np.arange(pitch, (width if kind == "spiral" else height) - pitch / 2, pitch):
            spot = (at, 0.025 * height) if kind == "spiral" else (0.025 * width, at)
            cv2.circle(
                mask,
                tuple(np.round(np.array(spot) * 16).astype(int).tolist()),
                round(radius * 16),
                0,
                -1,
                cv2.LINE_AA,
                4,
            )
        cover = mask.astype(np.float32) / 255
    elif kind == "ear":
        size = int(rng.uniform(0.04, 0.1) * width)
        y, x = np.mgrid[0:height, 0:width]
        cover *= ((width - x) + y > size).astype(np.float32)
    return cover
