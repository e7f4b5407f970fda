"""What a person sees of a value: its crop, the page around it, its small picture among others."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import cv2
import numpy as np

from edge.errors import SourceError
from edge.forms.job.crops import cut_field
from edge.forms.job.ledger import Ledger
from edge.forms.job.reopen import reopen_at
from edge.forms.job.review_queue import ReviewQueue, Seen
from edge.forms.job.tiles import cut_tile
from edge.forms.values import FieldReading
from edge.imaging.ink import to_grey
from edge.values import Image

# Pages that were opened last are kept up to so many bytes: at 300 dpi eight of them.
_KEPT_BYTES = 64 << 20
# Of the field's height, above and below it together with it; the part is this much wider than high.
_AROUND, _SHAPE = 7.0, 1.9
_AROUND_PX, _WHOLE_PX = 900, 1500
_QUALITY = 72


class Cuts:
    """Pictures of one job's values, from the ledger or from the page's file; for one thread, not the desk's."""

    def __init__(self, job: Path) -> None:
        """Open the job. Raises JobError if it is absent or broken."""
        self._ledger = Ledger(job)
        self._queue = ReviewQueue(self._ledger)
        self._pages: OrderedDict[str, tuple[Image, float]] = OrderedDict()

    def close(self) -> None:
        """Close the job."""
        self._ledger.close()

    def crop(self, page: str, field: str) -> bytes:
        """PNG of a value, upright. Raises SourceError if there is none."""
        seen = self._seen(page, field)
        kept = self._ledger.crop_of(seen.generation, page, field)
        if kept is not None:
            return kept
        grey, scale = self._grey(seen)
        return cut_field(grey, seen.reading, scale)

    def around(self, page: str, field: str, *, whole: bool = False) -> bytes:
        """JPEG of the part of the page around a value, upright, or of the whole page, the value outlined.

        Raises SourceError if the page's file is gone or shows something else.
        """
        seen = self._seen(page, field)
        grey, scale = self._grey(seen)
        return _whole(grey, seen, scale) if whole else _around(grey, seen.reading, scale)

    def tile(self, page: str, field: str) -> Image:
        """The small picture (40, 40) of a value, cut anew. Raises SourceError as around does."""
        seen = self._seen(page, field)
        grey, scale = self._grey(seen)
        return cut_tile(grey, seen.reading.quad, scale)

    def _seen(self, page: str, field: str) -> Seen:
        seen = self._queue.seen(page, field)
        if seen is None:
            raise SourceError("the job has no such value")
        return seen

    def _grey(self, seen: Seen) -> tuple[Image, float]:
        """A page's grey, and its pixels for one of the page as given."""
        key = seen.page.sha256
        if key in self._pages:
            self._pages.move_to_end(key)
        else:
            opened = reopen_at(seen.page, seen.place)
            self._pages[key] = to_grey(opened.pixels), opened.pixels.shape[1] / opened.width
            while len(self._pages) > 1 and sum(grey.nbytes for grey, _ in self._pages.values()) > _KEPT_BYTES:
                self._pages.popitem(last=False)
        return self._pages[key]


def _around(grey: Image, reading: FieldReading, scale: float) -> bytes:
    corners = np.array(reading.quad, np.float64) * scale
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    width, height = max(float(np.linalg.norm(across)), 2.0), max(float(np.linalg.norm(down)), 2.0)
    across, down = across / width, down / height
    high = max(_AROUND * height, 1.15 * width / _SHAPE)
    wide = _SHAPE * high
    zoom = min(_AROUND_PX / wide, 2.0)
    middle = corners.mean(axis=0)
    first = middle - across * wide / 2 - down * high / 2
    source = np.array([first, first + across * wide, first + down * high], np.float32)
    size = (max(round(wide * zoom), 2), max(round(high * zoom), 2))
    target = np.array([(0, 0), (size[0], 0), (0, size[1])], np.float32)
    turn = cv2.getAffineTransform(source, target)
    flags = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    cut = cv2.warpAffine(grey, turn, size, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=(128,))
    return _outlined(np.asarray(cut, np.uint8), cv2.transform(corners[None], turn)[0])


def _whole(grey: Image, seen: Seen, scale: float) -> bytes:
    zoom = min(1.0, _WHOLE_PX / max(grey.shape))
    picture = cv2.resize(grey, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    corners = np.array(seen.reading.quad, np.float64) * scale * zoom
    turns = (seen.page.registration.rotation_deg if seen.page.registration is not None else 0) // 90
    for _ in range(turns):
        corners = np.stack((picture.shape[0] - corners[:, 1], corners[:, 0]), axis=1)
        picture = cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE)
    return _outlined(np.asarray(picture, np.uint8), corners)


def _outlined(grey: Image, corners: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bytes:
    """JPEG of grey with a thick outline a little outside of the corners (4, 2)."""
    color = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    middle = corners.mean(axis=0)
    wider = np.round(middle + (corners - middle) * 1.06).astype(np.int32)
    cv2.polylines(color, [wider], True, (60, 120, 235), 3, cv2.LINE_AA)
    return cv2.imencode(".jpg", color, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
