"""Blobs of ink: connected components with their soft ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import ShapeError
from edge.imaging.ink import quantile
from edge.values import Box, Glyph, Image, Mask

_SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """The components of an ink mask: labels (H, W) int32 with 0 for paper; row i of the others is component i + 1.

    boxes (n, 4) left, top, right, bottom in pixels.
    """

    labels: npt.NDArray[np.int32]
    boxes: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.boxes)

    def box(self, *rows: int) -> Box:
        """The Box around these components."""
        left, top, right, bottom = self.boxes[rows[0]].tolist()
        for row in rows[1:]:
            own = self.boxes[row].tolist()
            left, top, right, bottom = min(left, own[0]), min(top, own[1]), max(right, own[2]), max(bottom, own[3])
        return Box(left=left, top=top, right=right, bottom=bottom)

    def marked(self, rows: npt.ArrayLike, box: Box) -> Mask:
        """(h, w) bool of a box: where any of these components, many or none, is."""
        of = np.zeros(len(self) + 1, np.bool_)
        of[np.asarray(rows, np.intp) + 1] = True
        found: Mask = of[self.labels[box.top : box.bottom, box.left : box.right]]
        return found

    def mask(self, rows: Sequence[int], box: Box) -> Image:
        """(h, w) uint8 of a box: 1 where one of these components, at least one, is; 0 elsewhere."""
        labels = self.labels[box.top : box.bottom, box.left : box.right]
        own: Image = (labels == rows[0] + 1).view(np.uint8)
        for row in rows[1:]:
            own |= (labels == row + 1).view(np.uint8)
        return own


@dataclass(frozen=True, slots=True, eq=False)
class Blobs(Labelled):
    """Components with their areas (n,) in pixels and centers (n, 2) as x, y."""

    areas: npt.NDArray[np.int32]
    centers: npt.NDArray[np.float64]


def find_blobs(mask: Mask) -> Blobs:
    """The 8-connected components of a (H, W) bool mask. Raises ShapeError if it is not two-dimensional bool."""
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise ShapeError(f"a mask is (H, W) bool, not {mask.shape} {mask.dtype}")
    (height, width), whole = mask.shape, mask.view(np.uint8)
    if height % 2 or width % 2:  # it works in squares of two pixels, and takes twice as long where some are halved
        whole = np.asarray(cv2.copyMakeBorder(whole, 0, height % 2, 0, width % 2, cv2.BORDER_CONSTANT, value=0))
    # OpenCV's default takes three times as long over the same labels.
    _, labels, stats, centers = cv2.connectedComponentsWithStatsWithAlgorithm(whole, 8, cv2.CV_32S, cv2.CCL_GRANA)
    labels = labels[:height, :width]
    stats, centers = stats[1:], centers[1:]
    boxes = stats[:, :4].copy()
    boxes[:, 2:] += boxes[:, :2]
    return Blobs(labels=labels, boxes=boxes, areas=stats[:, 4], centers=centers)


def find_strong_blobs(ink: Image, *, low: float, high: float) -> tuple[Blobs, npt.NDArray[np.bool_]]:
    """The Blobs of (H, W) soft ink above low, and which of them (n,) reach high somewhere (hysteresis, Canny 1986)."""
    # Whole numbers are compared as they are, others as float64.
    blobs = find_blobs(ink > int(low))
    strong = np.zeros(len(blobs) + 1, np.bool_)
    strong[blobs.labels[ink > int(high)]] = True
    return blobs, strong[1:]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CutGlyph:
    """A Glyph, its pixels and how dark it is.

    own: (h, w) uint8, 1 where its components are, a pixel wider all around than its box unless the picture ends there.
    darkest: the soft ink, 0 to 255, that its darkest tenth reaches.
    """

    glyph: Glyph
    own: Image
    darkest: float


def cut_glyph(ink: Image, blobs: Labelled, rows: Sequence[int]) -> CutGlyph:
    """The CutGlyph of these components: soft ink of the (H, W) page inside them and one pixel around, the rest 0.

    The ink is stretched so that its darkest tenth is 255: pencil and marker look alike to the network.
    """
    height, width = ink.shape
    tight = blobs.box(*rows)
    box = Box(
        left=max(0, tight.left - 1),
        top=max(0, tight.top - 1),
        right=min(width, tight.right + 1),
        bottom=min(height, tight.bottom + 1),
    )
    own = blobs.mask(rows, box)
    soft = ink[box.top : box.bottom, box.left : box.right]
    darkest = quantile(soft[own.view(np.bool_)], 0.9)
    near = cv2.dilate(own, _SQUARE)
    stretched = np.asarray(cv2.multiply(soft, near, scale=255 / max(darkest, 1.0)), np.uint8)
    return CutGlyph(glyph=Glyph(box=tight, ink=stretched), own=own, darkest=darkest)
