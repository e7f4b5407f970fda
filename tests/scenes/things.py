"""What lies on a sheet and beside it: fingers, pens, a phone, a cup, coins; and the shadows that fall on all of it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from tests.scenes.surfaces import Field, Photo, cloud

_SUBPIXEL = 4


def lay_things(rng: np.random.Generator, photo: Photo, scale_px: float) -> None:
    """Lay up to three things on the table, in place; scale_px is the width of a pen."""
    for _ in range(int(rng.choice((0, 0, 1, 2, 3)))):
        center = rng.uniform((0, 0), photo.shape[1::-1])
        (_pen, _phone, _cup, _coin, _book)[rng.integers(5)](rng, photo, center, scale_px)


def _paint(photo: Photo, outline: npt.NDArray[np.float64], color: npt.NDArray[np.float64], lift: float = 4.0) -> None:
    """Fill an outline (n, 2) with a colour that turns a little over it, and let it throw a shadow."""
    mask = np.zeros(photo.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(outline * (1 << _SUBPIXEL)).astype(np.int32)], 255, cv2.LINE_AA, _SUBPIXEL)
    throw_shadow(photo, mask, lift)
    soft = cv2.GaussianBlur(mask, (0, 0), max(1.0, lift)).astype(np.float32)[..., None] / 255
    photo += mask[..., None] / np.float32(255) * (color.astype(np.float32) * (0.7 + 0.4 * soft) - photo)


def throw_shadow(photo: Photo, mask: npt.NDArray[np.uint8], lift: float) -> None:
    """The shadow of what lies `lift` px above the table, in place."""
    moved = np.roll(mask, (round(lift), round(0.8 * lift)), (0, 1))
    photo *= 1 - 0.5 * cv2.GaussianBlur(moved, (0, 0), max(1.0, lift)).astype(np.float32)[..., None] / 255


def _bar(center: npt.NDArray[np.float64], angle: float, length: float, wide: float) -> npt.NDArray[np.float64]:
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    sides = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return np.array([center + along * a * length / 2 + across * b * wide / 2 for a, b in sides])


def _pen(rng: np.random.Generator, photo: Photo, center: npt.NDArray[np.float64], scale: float) -> None:
    angle, color = rng.uniform(0, np.pi), rng.uniform(15, 230, 3)
    _paint(photo, _bar(center, angle, 15 * scale, scale), color)
    along = np.array([np.cos(angle), np.sin(angle)])
    _paint(photo, _bar(center - 7.5 * along * scale, angle, 1.4 * scale, 0.5 * scale), np.full(3, 60.0))
    _paint(photo, _bar(center + 4 * along * scale, angle, 6 * scale, 0.22 * scale), np.full(3, 190.0), 1.0)


def _phone(rng: np.random.Generator, photo: Photo, center: npt.NDArray[np.float64], scale: float) -> None:
    angle = rng.uniform(0, np.pi)
    _paint(photo, _bar(center, angle, 15 * scale, 7.4 * scale), np.full(3, rng.uniform(15, 60)), 6)
    _paint(photo, _bar(center, angle, 14 * scale, 6.6 * scale), rng.uniform(5, 70, 3), 1)


def _cup(rng: np.random.Generator, photo: Photo, center: npt.NDArray[np.float64], scale: float) -> None:
    rim = rng.uniform(90, 240, 3)
    for radius, color in ((4.2, rim), (3.7, rim * 0.6), (3.4, np.array((20.0, 35.0, 60.0)))):
        turns = np.linspace(0, 2 * np.pi, 60)
        _paint(
            photo,
            center + scale * radius * np.stack((np.cos(turns), np.sin(turns) * 0.9), 1),
            color,
            5 if radius > 4 else 1,
        )


def _coin(rng: np.random.Generator, photo: Photo, center: npt.NDArray[np.float64], scale: float) -> None:
    turns = np.linspace(0, 2 * np.pi, 40)
    metal = np.array(((120, 175, 200), (60, 95, 150), (170, 175, 180))[rng.integers(3)], np.float64)
    for radius, shade in ((1.3, 0.8), (1.1, 1.0), (0.6, 0.85)):
        _paint(photo, center + scale * radius * np.stack((np.cos(turns), np.sin(turns)), 1), metal * shade, 2)


def _book(rng: np.random.Generator, photo: Photo, center: npt.NDArray[np.float64], scale: float) -> None:
    angle = rng.uniform(0, np.pi)
    _paint(photo, _bar(center, angle, 22 * scale, 15 * scale), rng.uniform(20, 220, 3), 6)
    _paint(photo, _bar(center, angle, 14 * scale, 8 * scale), rng.uniform(20, 240, 3), 1)
    _paint(photo, _bar(center + 2, angle, 13 * scale, 1.1 * scale), rng.uniform(20, 240, 3), 1)


def hold(
    rng: np.random.Generator, photo: Photo, edge: npt.NDArray[np.float64], inward: npt.NDArray[np.float64], scale: float
) -> None:
    """Lay one to three fingertips over the sheet's edge point (x, y), in place; scale is a pen's width."""
    tone = np.array(((150, 178, 222), (128, 158, 208), (80, 112, 168), (50, 68, 108))[rng.integers(4)], np.float64)
    beside = np.array([-inward[1], inward[0]])
    wide = 1.9 * scale
    for finger in range(int(rng.integers(1, 4))):
        lean = inward + beside * rng.uniform(-0.3, 0.3)
        lean /= np.linalg.norm(lean)
        tip = edge + beside * finger * wide * 1.15 + lean * wide * rng.uniform(0.3, 0.9)
        side = np.array([-lean[1], lean[0]]) * wide / 2
        turns = np.linspace(-np.pi / 2, np.pi / 2, 24)
        top = [tip + side * np.sin(t) + lean * wide * 0.55 * np.cos(t) for t in turns]
        base = tip - lean * wide * 9
        _paint(photo, np.array([*top, base + side * 1.25, base - side * 1.25]), tone, wide / 4)
        nail = np.array(
            [
                tip + lean * wide * 0.1 + side * 0.55 * np.sin(t) + lean * wide * 0.33 * np.cos(t)
                for t in np.linspace(0, 2 * np.pi, 24)
            ]
        )
        _paint(photo, nail, tone * (0.96, 0.97, 1.04) + 14, 1.0)
        for fold in (0.9, 1.1):
            crease = tip - lean * wide * fold
            ends = np.round(np.array([crease - side * 0.7, crease + side * 0.7])).astype(int)
            cv2.line(
                photo,
                tuple(ends[0].tolist()),
                tuple(ends[1].tolist()),
                (tone * 0.72).tolist(),
                max(1, int(wide / 22)),
                cv2.LINE_AA,
            )


def light(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Light on the scene, (H, W) at most about 1: a slope, a lamp's pool, shadows of a hand, of a phone, of a blind."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = x / width * np.float32(np.cos(angle)) + y / height * np.float32(np.sin(angle))
    ramp = (ramp - ramp.min()) / np.ptp(ramp)
    field = 1 - np.float32(rng.uniform(0.0, 0.55)) * ramp
    if rng.random() < 0.3:
        near = rng.uniform((0.1, 0.1), (0.9, 0.9)) * (width, height)
        far = np.hypot(x - near[0], y - near[1]) / (width * rng.uniform(0.5, 1.0))
        field *= 0.45 + 0.55 * np.exp(-(far**2))
    if rng.random() < 0.4:
        field *= 1 - rng.uniform(0.25, 0.55) * _shade(rng, shape)
    if rng.random() < 0.06:  # a blind
        stripe = np.sin((x * np.cos(angle) + y * np.sin(angle)) / (width * rng.uniform(0.01, 0.03)))
        field *= 1 - 0.3 / (1 + np.exp(-stripe * 3))
    return np.asarray(field, np.float32)


def _shade(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """The shadow of a hand with a phone or of a head, 0 to 1, soft at its edges."""
    height, width = shape
    mask = np.zeros(shape, np.uint8)
    side = rng.integers(4)
    start = np.array(
        (
            (rng.uniform(0, width), -10),
            (width + 10, rng.uniform(0, height)),
            (rng.uniform(0, width), height + 10),
            (-10, rng.uniform(0, height)),
        )[side]
    )
    aim = rng.uniform((0.3, 0.3), (0.7, 0.7)) * (width, height)
    arm = width * rng.uniform(0.08, 0.16)
    cv2.line(
        mask, tuple(np.round(start).astype(int).tolist()), tuple(np.round(aim).astype(int).tolist()), 255, round(arm)
    )
    if rng.random() < 0.6:
        box = cv2.boxPoints(
            (
                tuple(aim.tolist()),
                (width * rng.uniform(0.15, 0.3), width * rng.uniform(0.3, 0.5)),
                float(rng.uniform(0, 180)),
            )
        )
        cv2.fillConvexPoly(mask, np.round(box).astype(np.int32), 255)
    else:
        cv2.circle(mask, tuple(np.round(aim).astype(int).tolist()), round(arm * rng.uniform(1.0, 1.8)), 255, -1)
    soft = width * rng.uniform(0.004, 0.04)
    small = max(1.0, soft / 4)
    little = cv2.resize(
        mask, (max(2, round(width / small)), max(2, round(height / small))), interpolation=cv2.INTER_AREA
    )
    little = cv2.GaussianBlur(little, (0, 0), max(0.8, soft / small))
    return np.asarray(cv2.resize(little, (width, height), interpolation=cv2.INTER_LINEAR) / np.float32(255), np.float32)


def mottle(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Unevenness of light that no single cause explains, about 1."""
    return np.asarray(1 + 0.03 * cloud(rng, shape, shape[1] / 2, 2), np.float32)
