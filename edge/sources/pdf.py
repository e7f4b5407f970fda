"""Pages of a PDF as pixels, by PDFium (pypdfium2, the extra `pdf`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import SourceError
from edge.sources.decode import check_size
from edge.values import Image

DPI = 300  # what the reader is made for: a handwritten digit of 5 mm is then 60 px high
# Finer scans are rendered with fewer pixels: nothing in a hand's writing is so small.
MOST_DPI = 600.0
POINTS_PER_INCH = 72
# Pictures that cover so much of a page are its scan.
_SCAN_COVERS = 0.8
# A page of more objects than this is drawn, whatever the first of them are.
_MOST_OBJECTS = 500


def pdf_pages(
    path: Path, *, max_megapixels: float, numbers: Collection[int] | None = None, grey: bool = False
) -> Iterator[Image | SourceError | None]:
    """The pixels of each page, (H, W) grey or (H, W, 3) BGR uint8; a page that cannot be rendered gives its error.

    A page that is a scan has the scan's own resolution, up to 600 dpi, and no colours if the scan has none; any other
    is rendered at 300 dpi. With grey none has colours. numbers, from 1, are the pages wanted, None for all: another one
    is not rendered but yielded as None. Raises SourceError if pypdfium2 is absent, or the file is not a whole PDF or is
    encrypted.
    """
    with _open_document(path) as (pdfium, document):
        if document.get_formtype():
            document.init_forms()  # or filled-in form fields stay invisible
        for index in range(len(document)):
            if numbers is not None and index + 1 not in numbers:
                yield None
                continue
            try:
                yield _render(pdfium, document, index, max_megapixels, grey)
            except SourceError as error:
                yield error


def count_pdf_pages(path: Path) -> int:
    """How many pages a PDF says it has. Raises SourceError as pdf_pages does."""
    with _open_document(path) as (_, document):
        return len(document)


@contextmanager
def _open_document(path: Path) -> Iterator[tuple[Any, Any]]:
    """PDFium and the file opened with it."""
    pdfium = _load_pdfium()
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        # PDFium's own word for the cause may be that of an earlier file; an encrypted one says so outside its streams.
        if b"/Encrypt" in path.read_bytes():
            raise SourceError("the PDF is encrypted; save a copy without a password") from error
        raise SourceError("the PDF is damaged or cut off; export or scan it again") from error
    try:
        if not len(document):
            raise SourceError("the PDF has no pages; export or scan it again")
        yield pdfium, document
    finally:
        document.close()


def _render(pdfium: Any, document: Any, index: int, max_megapixels: float, grey: bool) -> Image:
    try:
        page = document[index]
        try:
            width, height = page.get_size()
            dpi, grey_scan = _scanned(pdfium, page) or (DPI, False)
            scale = dpi / POINTS_PER_INCH
            check_size(width * scale, height * scale, max_megapixels)
            bitmap = page.render(scale=scale, grayscale=grey or grey_scan, rev_byteorder=False, prefer_bgrx=False)
            try:
                pixels = bitmap.to_numpy()
                if pixels.ndim == 3:
                    pixels = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels[:, :, :3]
                return np.array(pixels)  # a copy: the bitmap is freed
            finally:
                bitmap.close()
        finally:
            page.close()
    except pdfium.PdfiumError as error:
        raise SourceError("the PDF page is damaged; export or scan it again") from error


def _scanned(pdfium: Any, page: Any) -> tuple[float, bool] | None:
    """The dpi of a page that is a scan, and whether it is grey; None for any other.

    A scan is one picture or strips of one, and at most a layer of invisible text, which text recognition leaves.
    """
    c = pdfium.raw
    pictures = []
    for count, one in enumerate(page.get_objects(max_depth=1)):
        if count > _MOST_OBJECTS:
            return None
        if one.type == c.FPDF_PAGEOBJ_IMAGE:
            pictures.append(one)
        elif one.type != c.FPDF_PAGEOBJ_TEXT or c.FPDFTextObj_GetTextRenderMode(one) != c.FPDF_TEXTRENDERMODE_INVISIBLE:
            return None
    finest, covered, grey = 0.0, 0.0, True
    for one in pictures:
        left, bottom, right, top = one.get_bounds()
        area = (right - left) * (top - bottom)
        about = one.get_metadata()
        if not area > 0 or not about.width or not about.height:
            return None
        covered += area
        finest = max(finest, POINTS_PER_INCH * (about.width * about.height / area) ** 0.5)
        grey &= about.bits_per_pixel <= 8 and about.colorspace != c.FPDF_COLORSPACE_INDEXED
    width, height = page.get_size()
    if covered < _SCAN_COVERS * width * height:
        return None
    # A little less, or rounding up would make the picture a pixel larger than it is.
    return min(finest, MOST_DPI) * (1 - 1e-7), grey


def _load_pdfium() -> Any:
    try:
        import pypdfium2
    except ModuleNotFoundError as error:
        if error.name != "pypdfium2":
            raise
        raise SourceError("PDF needs pypdfium2: pip install 'inkedge[pdf]'") from error
    return pypdfium2
