"""Where the millimetres of a form lie in a picture of it: perspective, and how the paper is bent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import ShapeError
from edge.values import Image, check_pixels

Floats = npt.NDArray[np.float64]

# A map of a bent sheet is computed at every so many pixels of a cut and drawn straight between: paper bends softly.
_NODE_PX = 12
# What lies on the horizon of a perspective is far away, not infinitely far.
_FARTHEST = 1e-9
# What is finer than this for a cut is a map gone wrong.
_MOST_SHRUNK = 64
# A cut is not made larger than this: what asks for more is a mistake in a template.
_LARGEST_CUT_PX = 20_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bend:
    """How far a sheet's print is off its place, as a soft function of the place: products of Legendre polynomials.

    size_mm (width, height): where it holds; outside, the nearest place inside counts. degree: the highest degree across
    plus down; weights (2, terms): mm to the right, mm down.
    """

    size_mm: tuple[float, float]
    degree: int
    weights: Floats

    def offsets(self, mm: Floats) -> Floats:
        """Offsets (n, 2) in mm at places (n, 2) in mm."""
        moved: Floats = bend_terms(mm, self.size_mm, self.degree) @ self.weights.T
        return moved


def bend_terms(mm: Floats, size_mm: tuple[float, float], degree: int) -> Floats:
    """The products of Legendre polynomials up to a degree at places (n, 2) in mm: (n, terms), the low ones first."""
    at = np.clip(2 * np.asarray(mm, np.float64) / np.array(size_mm) - 1, -1, 1)
    powers = [np.ones_like(at), at]
    for n in range(1, degree):
        powers.append(((2 * n + 1) * at * powers[n] - n * powers[n - 1]) / (n + 1))  # Bonnet's recursion
    return np.stack([powers[across][:, 0] * powers[down][:, 1] for across, down in bend_orders(degree)], axis=1)


def bend_orders(degree: int) -> tuple[tuple[int, int], ...]:
    """The degrees (across, down) of the terms of a Bend, the low ones first."""
    return tuple((total - down, down) for total in range(degree + 1) for down in range(total + 1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SheetMap:
    """A form's page in a picture: homography (3, 3) from mm to pixels, after the bend of the paper, if it is bent.

    Pixels are counted as OpenCV does: (0, 0) is the middle of the first one, (-0.5, -0.5) the picture's corner.
    """

    homography: Floats
    bend: Bend | None = None

    def __post_init__(self) -> None:
        if self.homography.shape != (3, 3) or not np.isfinite(self.homography).all():
            raise ShapeError(f"a homography is (3, 3) and finite, not {self.homography.shape}")

    def points(self, mm: npt.ArrayLike) -> Floats:
        """Pixels (n, 2) x, y of places (n, 2) in mm from the left and the top."""
        places = np.asarray(mm, np.float64).reshape(-1, 2)
        if self.bend is not None:
            places = places + self.bend.offsets(places)
        px = places @ self.homography[:, :2].T + self.homography[:, 2]
        far = px[:, 2:]
        far[np.abs(far) < _FARTHEST] = _FARTHEST
        return np.asarray(px[:, :2] / far, np.float64)

    def px_per_mm(self, mm: tuple[float, float]) -> float:
        """How many pixels a millimetre is long around a place in mm, on average of all directions."""
        x, y = mm
        at, right, below = self.points([(x, y), (x + 1, y), (x, y + 1)])
        (a, b), (c, d) = right - at, below - at
        return math.sqrt(abs(float(a * d - b * c)))

    @property
    def rotation_deg(self) -> int:
        """The clockwise quarter turn that makes the picture upright: 0, 90, 180 or 270."""
        # the direction of the form's left to right near its origin, through the affine part and the perspective
        h = self.homography
        dx, dy = h[0, 0] * h[2, 2] - h[0, 2] * h[2, 0], h[1, 0] * h[2, 2] - h[1, 2] * h[2, 0]
        return round(-math.degrees(math.atan2(dy, dx)) / 90) % 4 * 90

    def cut(self, pixels: Image, box_mm: tuple[float, float, float, float], px_per_mm: float) -> Image:
        """What lies in box_mm (left, top, width, height) of pixels (H, W) or (H, W, 3), upright, at a scale.

        Beyond the picture its last pixels are repeated. Raises ShapeError if pixels are none, or the box is no box.
        """
        check_pixels(pixels)
        left, top, width_mm, height_mm = box_mm
        if not (width_mm > 0 and height_mm > 0 and px_per_mm > 0):
            raise ShapeError(f"a cut needs a width, a height and a scale above 0, not {box_mm} at {px_per_mm}")
        width, height = max(1, round(width_mm * px_per_mm)), max(1, round(height_mm * px_per_mm))
        if max(width, height) > _LARGEST_CUT_PX:
            raise ShapeError(f"a cut of {width}x{height} pixels is too large; ask for fewer pixels a millimetre")
        # the middle of pixel i is at (i + 0.5) pixels from the box's edge
        to_mm = np.array([[width_mm / width, 0, left], [0, height_mm / height, top], [0, 0, 1]])
        to_mm = to_mm @ np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        source, shift, shrink = self._near(pixels, box_mm, px_per_mm)
        if self.bend is None:
            # a pixel of the picture is (x - shift + 0.5) / shrink - 0.5 of its shrunk part
            move = [(0.5 - shift[i]) / shrink - 0.5 for i in (0, 1)]
            to_part = np.array([[1 / shrink, 0, move[0]], [0, 1 / shrink, move[1]], [0, 0, 1]])
            matrix, flags = to_part @ self.homography @ to_mm, cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            flat = cv2.warpPerspective(source, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
            return np.asarray(flat, np.uint8)
        x, y = self._places(to_mm, width, height, shift, shrink)
        return np.asarray(cv2.remap(source, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    def _near(
        self, pixels: Image, box_mm: tuple[float, float, float, float], px_per_mm: float
    ) -> tuple[Image, tuple[int, int], int]:
        """The part of pixels around a box, shrunk so far that no pixel is passed over; its left and top; how often."""
        left, top, width, height = box_mm
        finer = self.px_per_mm((left + width / 2, top + height / 2)) / px_per_mm
        shrink = int(min(max(finer, 1), _MOST_SHRUNK))
        if shrink == 1:
            return pixels, (0, 0), 1
        rim = np.linspace(0, 1, 5)
        x, y = left + width * rim, top + height * rim
        places = [(a, b) for a in x for b in (y[0], y[-1])] + [(a, b) for a in (x[0], x[-1]) for b in y]
        around = self.points(places)
        limits = np.array(pixels.shape[1::-1])
        low = np.clip(np.floor(around.min(axis=0)) - 2 * shrink, 0, limits - 1).astype(int)
        high = np.clip(np.ceil(around.max(axis=0)) + 2 * shrink, low + 1, limits).astype(int)
        left_px, top_px = int(low[0]), int(low[1])
        part = pixels[top_px : high[1], left_px : high[0]]
        size = (-(-part.shape[1] // shrink), -(-part.shape[0] // shrink))
        spare = (size[0] * shrink - part.shape[1], size[1] * shrink - part.shape[0])
        if any(spare):
            part = np.asarray(cv2.copyMakeBorder(part, 0, spare[1], 0, spare[0], cv2.BORDER_REPLICATE), np.uint8)
        return (
            np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8),
            (left_px, top_px),
            shrink,
        )

    def _places(
        self, to_mm: Floats, width: int, height: int, shift: tuple[int, int], shrink: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """The pixel of a shrunk part that each pixel of a cut shows: x and y, each (height, width)."""
        columns, rows = -(-width // _NODE_PX) + 1, -(-height // _NODE_PX) + 1
        u, v = np.meshgrid(np.linspace(0, width - 1, columns), np.linspace(0, height - 1, rows))
        mm = to_mm @ np.stack((u.ravel(), v.ravel(), np.ones(u.size)))
        nodes = (self.points(mm[:2].T) + 0.5 - shift) / shrink - 0.5
        x, y = (_between(nodes[:, i].reshape(rows, columns), height, width) for i in (0, 1))
        return x, y


def _between(nodes: Floats, height: int, width: int) -> npt.NDArray[np.float32]:
    """Values (height, width) drawn straight between nodes (2 or more, 2 or more) spread evenly, ends included."""
    column, right = _steps(nodes.shape[1], width)
    row, below = _steps(nodes.shape[0], height)
    across = (nodes[:, column] + (nodes[:, column + 1] - nodes[:, column]) * right).astype(np.float32)
    drawn: npt.NDArray[np.float32] = np.diff(across, axis=0)[row]
    drawn *= below.astype(np.float32)[:, None]
    drawn += across[row]
    return drawn


def _steps(nodes: int, pixels: int) -> tuple[npt.NDArray[np.intp], Floats]:
    """For pixels spread evenly over nodes, ends included: the node before each, and how far on it is to the next."""
    at = np.linspace(0, nodes - 1, pixels)
    before = np.minimum(at.astype(np.intp), nodes - 2)
    return before, at - before
