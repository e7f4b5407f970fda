"""How a sheet is bent, from what its print is off its places: a soft, bounded correction of a SheetMap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.forms.sheet.printed import Measured
from edge.forms.sheet.sheet_map import Bend, Floats, SheetMap, bend_orders, bend_terms

# How large the weights of a Bend are on paper, in mm by degree: place and scale may be off by more than they curve.
_USUAL_MM = (3.0, 3.0, 1.5, 0.6, 0.3)
# How exactly print is measured, and how far off a station may be before it counts for little.
_NOISE_MM, _FAR_MM = 0.1, 0.35
_ROUNDS = 4


def unbend(sheet: SheetMap, measured: Sequence[Measured], size_mm: tuple[float, float], *, degree: int) -> SheetMap:
    """The map with the Bend of a degree that lays print where it was measured; as it is if nothing was measured.

    Least squares with weights kept small (ridge regression), stations that are far off counting little (Cauchy).
    """
    places = np.concatenate([m.places[m.good] for m in measured])
    if not len(places):
        return sheet
    normals = np.concatenate([np.repeat(m.normals[:, None], m.good.shape[1], axis=1)[m.good] for m in measured])
    offsets = np.concatenate([m.offsets[m.good] for m in measured])
    terms = bend_terms(places, size_mm, degree)
    design = np.concatenate((terms * normals[:, :1], terms * normals[:, 1:]), axis=1)
    orders = np.array([across + down for across, down in bend_orders(degree)])
    ridge = np.tile((_NOISE_MM / np.array(_USUAL_MM)[orders]) ** 2, 2)
    old = _weights(sheet.bend, degree, size_mm)
    target = offsets + design @ old
    new = old
    for _ in range(_ROUNDS):
        weight = 1 / (1 + ((target - design @ new) / _FAR_MM) ** 2)
        weighted = design * weight[:, None]
        new = np.asarray(np.linalg.solve(design.T @ weighted + np.diag(ridge), weighted.T @ target), np.float64)
    bend = Bend(size_mm=size_mm, degree=degree, weights=new.reshape(2, -1))
    return SheetMap(homography=sheet.homography, bend=bend)


def _weights(bend: Bend | None, degree: int, size_mm: tuple[float, float]) -> Floats:
    """The weights of a bend as those of a higher degree, (2 × terms)."""
    full = np.zeros((2, len(bend_orders(degree))))
    if bend is not None and bend.size_mm == size_mm:
        known = min(bend.weights.shape[1], full.shape[1])
        full[:, :known] = bend.weights[:, :known]
    return full.ravel()
