"""Pictures of the fields that a person must look at, small enough to be kept by the thousand."""

from __future__ import annotations

import cv2
import numpy as np

from edge.forms.values import FieldReading, FormPage
from edge.values import Image, Page

# A page that is all doubt, such as one read in the wrong place, is looked at as a whole: more crops help nobody.
_MOST_A_PAGE = 200
_MOST_PX = 480
# So much of the field's height stands around it, to show what runs over its edges.
_MARGIN = 0.2


def cut_doubtful(page: Page, read: FormPage) -> tuple[tuple[str, bytes], ...]:
    """The name and an upright grey PNG of each field of a page that is for review."""
    doubtful = [one for one in read.fields if one.status == "review"]
    if not doubtful:
        return ()
    grey = page.pixels if page.pixels.ndim == 2 else cv2.cvtColor(page.pixels, cv2.COLOR_BGR2GRAY)
    shrunk = page.pixels.shape[1] / page.width
    return tuple((one.name, cut_field(np.asarray(grey, np.uint8), one, shrunk)) for one in doubtful[:_MOST_A_PAGE])


def cut_field(grey: Image, field: FieldReading, scale: float = 1.0) -> bytes:
    """PNG of a field with a margin, upright, its longer side at most 480 px; grey is (H, W) uint8.

    scale: pixels of grey for one of the page as given.
    """
    corners = np.array(field.quad, np.float32) * scale
    width = max(float(np.linalg.norm(corners[1] - corners[0])), 2.0)
    height = max(float(np.linalg.norm(corners[3] - corners[0])), 2.0)
    zoom = min(1.0, _MOST_PX / (max(width, height) + 2 * _MARGIN * height))
    margin = _MARGIN * height * zoom
    right, bottom = margin + width * zoom, margin + height * zoom
    target = np.array([(margin, margin), (right, margin), (right, bottom), (margin, bottom)], np.float32)
    turn = cv2.getPerspectiveTransform(corners, target)
    size = (max(round(right + margin), 2), max(round(bottom + margin), 2))
    crop = cv2.warpPerspective(grey, turn, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return cv2.imencode(".png", crop)[1].tobytes()
