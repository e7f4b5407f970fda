"""Small pictures of a page's single digits, side by side in one JPEG, for looking at hundreds of them at once.

They are cut where the page is in memory anyway: to open sixty pages again for one sheet of digits takes seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge.forms.job.review_values import review_values
from edge.forms.values import FormPage, Quad
from edge.imaging.ink import to_grey
from edge.values import Image, Page

TILE_PX = 40
_ACROSS = 16
# Of the field's height around it, to show what runs over its edges.
_MARGIN = 0.12
_QUALITY = 70


def cut_tiles(page: Page, read: FormPage) -> bytes | None:
    """The JPEG of the tiles of a page's values of one digit or none, in their order; None if it has no such value."""
    quads = [quad_of(read, *one.place) for one in review_values(read) if len(one.text) <= 1]
    if not quads:
        return None
    grey = to_grey(page.pixels)
    scale = page.pixels.shape[1] / page.width
    sheet = np.full((-(-len(quads) // _ACROSS) * TILE_PX, min(len(quads), _ACROSS) * TILE_PX), 255, np.uint8)
    for place, quad in enumerate(quads):
        top, left = _corner(place)
        sheet[top : top + TILE_PX, left : left + TILE_PX] = cut_tile(grey, quad, scale)
    return cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


def quad_of(read: FormPage, number: int, cell: int) -> Quad:
    """The quad of a page's field, from 0, or of one of its cells, from 1; 0 for the whole."""
    one = read.fields[number]
    if not cell:
        return one.quad
    a, b, c, d = np.array(one.quad)
    ends = np.array((cell - 1, cell, cell, cell - 1))[:, None] / one.cells
    first, second, third, fourth = (np.array((a, a, d, d)) + np.array((b - a, b - a, c - d, c - d)) * ends).tolist()
    return tuple(first), tuple(second), tuple(third), tuple(fourth)


def take_tiles(jpeg: bytes, places: Sequence[int]) -> list[Image]:
    """The tiles (40, 40) at these places, from 0, of a page's picture; white where it has none."""
    sheet = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    tiles = []
    for place in places:
        top, left = _corner(place)
        tile = np.full((TILE_PX, TILE_PX), 255, np.uint8)
        if sheet is not None and top + TILE_PX <= sheet.shape[0] and left + TILE_PX <= sheet.shape[1]:
            tile = np.asarray(sheet[top : top + TILE_PX, left : left + TILE_PX], np.uint8)
        tiles.append(tile)
    return tiles


def cut_tile(grey: Image, quad: Quad, scale: float = 1.0) -> Image:
    """A field of a page in grey (H, W) with a margin, upright, as (40, 40); scale: pixels of grey for one of quad."""
    corners = np.array(quad, np.float32) * scale
    width = max(float(np.linalg.norm(corners[1] - corners[0])), 2.0)
    height = max(float(np.linalg.norm(corners[3] - corners[0])), 2.0)
    # A warp takes single pixels: thin strokes would break if it shrank the picture.
    fine = TILE_PX * min(8, max(1, round(max(width, height) / TILE_PX)))
    unit = fine / (max(width, height) * (1 + 2 * _MARGIN))
    left, top = (fine - width * unit) / 2, (fine - height * unit) / 2
    right, bottom = fine - left, fine - top
    target = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
    turn = cv2.getPerspectiveTransform(corners, target)
    cut = cv2.warpPerspective(grey, turn, (fine, fine), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(cut, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA), np.uint8)


def _corner(place: int) -> tuple[int, int]:
    """Top and left of a tile in its picture."""
    return place // _ACROSS * TILE_PX, place % _ACROSS * TILE_PX
