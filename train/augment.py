"""Digits as they come from paper: MNIST and drawn forms, distorted, photographed, cut out and fitted as the edge does.

Simard, Steinkraus, Platt, Best Practices for Convolutional Neural Networks, ICDAR 2003, for the elastic distortion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from edge.imaging.tensors import fit_digit
from edge.values import Image
from train.camera import cut_gap, extract, leave_pieces, photograph, press, shrink, thicken

# Digits are distorted on a canvas of this side, MNIST's twice their size: strokes are wide enough to be thinned.
CANVAS = 64
_ZOOM = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Distortion:
    """How far a digit is bent: rotation and shear in rad, log of scale, elastic shift in px of the canvas."""

    rotation: float
    shear: float
    log_scale: float
    elastic_px: float


MILD = Distortion(rotation=0.12, shear=0.15, log_scale=0.10, elastic_px=1.0)
PAPER = Distortion(rotation=0.22, shear=0.30, log_scale=0.20, elastic_px=2.2)
# A drawn form brings its own slant and proportions.
DRAWN = Distortion(rotation=0.10, shear=0.12, log_scale=0.10, elastic_px=1.0)


def bend(rng: np.random.Generator, ink: Image, how: Distortion, *, zoom: float = _ZOOM) -> Image:
    """The (h, w) ink, turned, sheared, scaled and bent, in the middle of a (64, 64) canvas, `zoom` times as large."""
    turn, shear = rng.uniform(-how.rotation, how.rotation), rng.uniform(-how.shear, how.shear)
    wide, tall = np.exp(rng.uniform(-how.log_scale, how.log_scale, 2)) * zoom
    cos, sin = math.cos(turn), math.sin(turn)
    # The inverse of turning after shearing after scaling, and the middle of the canvas on the middle of the ink.
    back = np.array([[1.0 / wide, -shear / wide], [0.0, 1.0 / tall]]) @ np.array([[cos, sin], [-sin, cos]])
    middle = np.array([[(ink.shape[1] - 1) / 2], [(ink.shape[0] - 1) / 2]])
    nodes = int(rng.integers(3, 7))
    shift = rng.normal(0, how.elastic_px, (nodes, nodes, 2)).astype(np.float32)
    place = cv2.add(cv2.resize(shift, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC), _GRID)
    source = cv2.transform(place, np.hstack((back, middle)))
    return np.asarray(cv2.remap(ink, source, None, cv2.INTER_LINEAR, borderValue=0), np.uint8)


_GRID = np.stack(np.meshgrid(*2 * [np.arange(CANVAS, dtype=np.float32) - (CANVAS - 1) / 2]), axis=-1)


def on_paper(rng: np.random.Generator, ink: Image, *, pieces: bool = True) -> Image:
    """(28, 28) tensor of (64, 64) ink written with some pen, photographed, extracted and fitted."""
    ink = thicken(rng, ink)
    chances = rng.random(6)
    if chances[0] < 0.20:
        ink = press(rng, ink)
    if chances[1] < 0.06:
        ink = cut_gap(rng, ink)
    if pieces and chances[2] < 0.12:
        ink = leave_pieces(rng, ink)
    if chances[3] < 0.15:
        ink = shrink(rng, ink)
    elif chances[4] < 0.08:
        ink = ((ink > rng.uniform(60, 150)) * np.uint8(255)).astype(np.uint8)
    else:
        ink = extract(rng, photograph(rng, ink))
    tensor = fit_digit(ink)
    return nudge(rng, tensor) if chances[5] < 0.25 else tensor


def nudge(rng: np.random.Generator, tensor: Image) -> Image:
    """The (28, 28) tensor moved by up to a pixel each way: a speck on the rim moves the centre of mass."""
    down, across = (int(n) for n in rng.integers(-1, 2, 2))
    moved = np.roll(tensor, (down, across), (0, 1))
    if down:
        moved[0 if down > 0 else -1] = 0
    if across:
        moved[:, 0 if across > 0 else -1] = 0
    return moved


def mild_digit(rng: np.random.Generator, digit: Image) -> Image:
    """(28, 28) tensor of an MNIST digit (28, 28) as another of MNIST's writers might have put it."""
    ink = bend(rng, digit, MILD)
    draw = rng.random()
    if draw < 0.1:
        ink = np.asarray(cv2.erode(ink, np.ones((2, 2), np.uint8)), np.uint8)
    elif draw < 0.2:
        ink = np.asarray(cv2.dilate(ink, np.ones((2, 2), np.uint8)), np.uint8)
    return fit_digit(ink)


def paper_digit(rng: np.random.Generator, digit: Image) -> Image:
    """(28, 28) tensor of an MNIST digit (28, 28) as if it came from a photo of paper."""
    return on_paper(rng, bend(rng, digit, PAPER))
