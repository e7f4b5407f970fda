"""Drawing a sheet in millimetres from its top left corner, as a vector PDF by reportlab (the extra `forms`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from edge.errors import UsageError
from edge.forms.template import BoxMm
from edge.sinks.whole import write_whole

Rgb: TypeAlias = tuple[float, float, float]  # 0 to 1 each
Anchor: TypeAlias = Literal["left", "middle", "right"]

_POINT_MM = 25.4 / 72
_FONTS = {False: ("Vera", "Vera.ttf"), True: ("VeraBd", "VeraBd.ttf")}  # they come with reportlab, and are embedded


class PrintSheets:
    """A PDF drawn sheet by sheet; the same drawing gives the same bytes.

    offset_mm (left, top) is where the origin of all coordinates lies on the paper. Raises UsageError if reportlab is
    absent.
    """

    def __init__(self, *, paper_mm: tuple[float, float], title: str, offset_mm: tuple[float, float] = (0, 0)) -> None:
        canvas, ttfonts, metrics = _load_reportlab()
        self._height_mm = paper_mm[1]
        self._offset = offset_mm
        self._canvas = canvas.Canvas("", pagesize=tuple(side / _POINT_MM for side in paper_mm), invariant=1)
        self._canvas.setTitle(title)
        self._canvas.setCreator("inkedge")
        for name, file in _FONTS.values():
            metrics.registerFont(ttfonts.TTFont(name, file))
        self._glyphs: set[int] = set(metrics.getFont("Vera").face.charToGlyph)

    def end_page(self) -> None:
        """Go on to the next sheet."""
        self._canvas.showPage()

    def boxes(self, boxes: Iterable[BoxMm], color: Rgb = (0, 0, 0)) -> None:
        """Filled boxes, as one shape: neighbours show no seam between them."""
        path = self._canvas.beginPath()
        for left, top, width, height in boxes:
            x, y = self._at(left, top + height)
            path.rect(x, y, width / _POINT_MM, height / _POINT_MM)
        self._canvas.setFillColorRGB(*color)
        self._canvas.drawPath(path, stroke=0, fill=1)

    def frame(self, box: BoxMm, color: Rgb, width_mm: float, radius_mm: float = 0.0) -> None:
        """The outline of a box, the middle of the line on its edge, with round corners."""
        left, top, width, height = box
        x, y = self._at(left, top + height)
        self._pen(color, width_mm)
        size = width / _POINT_MM, height / _POINT_MM
        self._canvas.roundRect(x, y, *size, max(radius_mm / _POINT_MM, 0.01), stroke=1, fill=0)

    def line(self, points: Sequence[tuple[float, float]], color: Rgb, width_mm: float) -> None:
        """A line through points (x, y)."""
        path = self._canvas.beginPath()
        path.moveTo(*self._at(*points[0]))
        for point in points[1:]:
            path.lineTo(*self._at(*point))
        self._pen(color, width_mm)
        self._canvas.drawPath(path, stroke=1, fill=0)

    def text(
        self,
        place: tuple[float, float],
        text: str,
        *,
        size_pt: float,
        color: Rgb,
        bold: bool = False,
        anchor: Anchor = "left",
    ) -> None:
        """One line of text, its baseline at place. Raises UsageError for letters that the font does not have."""
        unknown = sorted({letter for letter in text if ord(letter) not in self._glyphs})
        if unknown:
            raise UsageError(f"{text!r}: the font of printed forms has no {' '.join(unknown)}; write it with others")
        x, y = self._at(*place)
        font = _FONTS[bold][0]
        width = self._canvas.stringWidth(text, font, size_pt)
        self._canvas.setFillColorRGB(*color)
        self._canvas.setFont(font, size_pt)
        self._canvas.drawString(x - {"left": 0, "middle": width / 2, "right": width}[anchor], y, text)

    def width_mm(self, text: str, size_pt: float, *, bold: bool = False) -> float:
        """How wide a text is."""
        return float(self._canvas.stringWidth(text, _FONTS[bold][0], size_pt)) * _POINT_MM

    def save(self, path: Path) -> None:
        """Write the PDF, aside and renamed. Raises SinkError if that fails."""
        write_whole(path, self._canvas.getpdfdata())

    def _at(self, x: float, y: float) -> tuple[float, float]:
        left, top = self._offset
        return (left + x) / _POINT_MM, (self._height_mm - top - y) / _POINT_MM

    def _pen(self, color: Rgb, width_mm: float) -> None:
        self._canvas.setStrokeColorRGB(*color)
        self._canvas.setLineWidth(width_mm / _POINT_MM)
        self._canvas.setLineCap(1)
        self._canvas.setLineJoin(1)


def qr_boxes(text: str, box: BoxMm) -> list[BoxMm]:
    """The dark squares of a QR code (level M, ISO/IEC 18004) over a box, joined along each row.

    Raises UsageError if reportlab is absent.
    """
    _load_reportlab()
    from reportlab.graphics.barcode import qrencoder

    code: Any = qrencoder.QRCode(None, qrencoder.QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    return dark_boxes([[bool(one) for one in row] for row in code.modules], box)


def dark_boxes(dark: Sequence[Sequence[bool]], box: BoxMm) -> list[BoxMm]:
    """A grid of dark and light squares spread over a box, as boxes of the dark ones, joined along each row."""
    left, top, width, height = box
    down = height / len(dark)
    found: list[BoxMm] = []
    for row, line in enumerate(dark):
        across = width / len(line)
        start = None
        for column, one in enumerate([*line, False]):
            if one and start is None:
                start = column
            elif not one and start is not None:
                found.append((left + start * across, top + row * down, (column - start) * across, down))
                start = None
    return found


def _load_reportlab() -> tuple[Any, Any, Any]:
    try:
        from reportlab.pdfbase import pdfmetrics, ttfonts
        from reportlab.pdfgen import canvas
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "reportlab":
            raise
        raise UsageError("printing a form needs reportlab: pip install 'inkedge[forms]'") from error
    return canvas, ttfonts, pdfmetrics
