"""What the rooms of forms hand to each other: a page's registration, its values, the outcome of one page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from edge.errors import ShapeError
from edge.values import Box, Status

RegistrationStatus: TypeAlias = Literal["ok", "review", "failed"]
Method: TypeAlias = Literal["marks", "frame", "reference", "none"]
Point: TypeAlias = tuple[float, float]
Quad: TypeAlias = tuple[Point, Point, Point, Point]

# Residuals in mm above which cells may sit on the wrong ink, and above which a page is not this form at all.
REVIEW_MM = 0.5
FAILED_MM = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """How well a page was laid over its template.

    residual_mm: RMS distance of points along marks or printed edges from where the template has them, after all
    corrections; None where nothing was found or there is nothing to measure. rotation_deg: the clockwise turn that
    makes the page upright, 0, 90, 180 or 270. reason: why it is not `ok`.
    """

    status: RegistrationStatus
    method: Method
    residual_mm: float | None = None
    rotation_deg: int = 0
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.rotation_deg not in (0, 90, 180, 270):
            raise ShapeError(f"a quarter turn is 0, 90, 180 or 270 degrees, not {self.rotation_deg}")
        if (self.status == "ok") != (self.reason is None):
            raise ShapeError(f"a registration that is not ok has a reason, one that is has none: {self.reason!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReading:
    """One value of a page as outputs have it; box and quad are in pixels of the page as given.

    value is what stands in the table, raw what was read before check, range and roster had their say; repaired if they
    differ. confidence is the calibrated probability that value is right. alternatives are (text, probability), the
    most probable first. reason: why a person must look, None unless status is `review`. cells: how many it
    stands in, side by side from the left; 0 for a number that is written freely, or in several lines.
    """

    name: str
    value: str
    raw: str
    confidence: float
    status: Status
    box: Box
    quad: Quad
    repaired: bool = False
    alternatives: tuple[tuple[str, float], ...] = ()
    reason: str | None = None
    cells: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise ShapeError(f"a confidence lies in 0 to 1, not {self.confidence}")
        if self.repaired != (self.value != self.raw):
            raise ShapeError(f"{self.name}: a value that differs from what was read is repaired, and only that")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPage:
    """What came of one page of one source: its registration and values, or an error and neither.

    sha256: of what the page is in its file, so that a second copy is known; template: None where no template of the
    run is its own. ms is the time from decoding to values.
    """

    source: str
    page_number: int
    sha256: str
    template: str | None = None
    error: str | None = None
    ms: float = 0.0
    registration: Registration | None = None
    fields: tuple[FieldReading, ...] = ()
