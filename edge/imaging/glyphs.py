"""Blobs of ink: connected components with their soft ink."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import ShapeError
from edge.imaging.ink import quantile
from edge.values import Box, Glyph, Image, Mask


@dataclass(frozen=True, slots=True, eq=False)
class Blobs:
    """The components of an ink mask: labels (H, W) int32 with 0 for paper; row i of the others is component i + 1.

    boxes (n, 4) left, top, right, bottom in pixels; areas (n,) in pixels; centers (n, 2) as x, y.
    """

    labels: npt.NDArray[np.int32]
    boxes: npt.NDArray[np.int32]
    areas: npt.NDArray[np.int32]
    centers: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.areas)

    def box(self, *rows: int) -> Box:
        """The Box around these components."""
        corners = self.boxes[list(rows)]
        left, top = corners[:, :2].min(axis=0).tolist()
        right, bottom = corners[:, 2:].max(axis=0).tolist()
        return Box(left=left, top=top, right=right, bottom=bottom)


def find_blobs(mask: Mask) -> Blobs:
    """The 8-connected components of a (H, W) bool mask. Raises ShapeError if it is not two-dimensional bool."""
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise ShapeError(f"a mask is (H, W) bool, not {mask.shape} {mask.dtype}")
    # OpenCV's default takes three times as long over the same labels.
    _, labels, stats, centers = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask.view(np.uint8), 8, cv2.CV_32S, cv2.CCL_GRANA
    )
    stats, centers = stats[1:], centers[1:]
    boxes = stats[:, :4].copy()
    boxes[:, 2:] += boxes[:, :2]
    return Blobs(labels=labels, boxes=boxes, areas=stats[:, 4], centers=centers)


def cut_glyph(ink: Image, blobs: Blobs, rows: tuple[int, ...]) -> Glyph:
    """The Glyph made of these components: soft ink of the (H, W) page inside them and one pixel around, the rest 0.

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
    place = np.s_[box.top : box.bottom, box.left : box.right]
    labels = blobs.labels[place]
    own = np.zeros(labels.shape, np.uint8)
    for row in rows:
        own |= (labels == row + 1).view(np.uint8)
    soft = np.where(cv2.dilate(own, np.ones((3, 3), np.uint8)), ink[place], 0).astype(np.uint8)
    full = quantile(soft[own > 0], 0.9)
    return Glyph(box=tight, ink=cv2.convertScaleAbs(soft, alpha=255 / max(full, 1.0)))
