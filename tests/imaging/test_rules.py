"""Printed lines go; strokes stay, also where they touch or cross the line."""

import numpy as np

from edge.imaging.rules import drop_ruled_lines


def test_ruled_lines_go_and_crossing_strokes_stay() -> None:
    mask = np.zeros((64, 300), bool)
    mask[40:42] = True
    mask[10:55, 100:104] = True
    clean = drop_ruled_lines(mask, writing_px=40)
    assert clean[10:55, 100:104].mean() > 0.9
    assert not clean[40:42, :95].any() and not clean[40:42, 110:].any()
