"""The pieces of a form's ink are its components, counted by their runs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.forms.fields.pieces import components
from edge.imaging.glyphs import find_blobs


@pytest.mark.parametrize("share", [0.0, 0.02, 0.2, 0.5, 0.9, 1.0])
def test_counted_by_runs_components_are_those_counted_by_pixels(share: float) -> None:
    """On masks from empty to full, strokes and specks, the first pixel and the last but one column included."""
    rng = np.random.default_rng(int(100 * share))
    for width in (2, 40, 130):
        noise = cv2.GaussianBlur(rng.random((60, width)).astype(np.float32), (0, 0), 1.0 + 2 * rng.random())
        mask = noise <= np.quantile(noise, share) if share else np.zeros(noise.shape, np.bool_)
        mask |= rng.random(mask.shape) < share / 10
        mask[:, -1] = False
        labels, boxes, areas = components(mask)
        blobs = find_blobs(mask)
        assert np.array_equal(labels, blobs.labels)
        assert np.array_equal(boxes, blobs.boxes)
        assert np.array_equal(areas, blobs.areas)
