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
POINTS_PER_INCH = 72


def pdf_pages(
    path: Path, *, max_megapixels: float, numbers: Collection[int] | None = None
) -> Iterator[Image | SourceError | None]:
    """Each page rendered at 300 dpi, pixels (H, W, 3) BGR uint8; a page that cannot be is yielded as its error.

    numbers, from 1, are the pages wanted, None for all: another one is not rendered but yielded as None. Raises
    SourceError if pypdfium2 is absent, or the file is not a whole PDF or is encrypted.
    """
    with _open_document(path) as (pdfium, document):
        if document.get_formtype():
            document.init_forms()  # or filled-in form fields stay invisible
        for index in range(len(document)):
            if numbers is not None and index + 1 not in numbers:
                yield None
                continue
            try:
                yield _render(pdfium, document, index, max_megapixels)
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


def _render(pdfium: Any, document: Any, index: int, max_megapixels: float) -> Image:
    try:
        page = document[index]
        try:
            scale = DPI / POINTS_PER_INCH
            width, height = page.get_size()
            check_size(width * scale, height * scale, max_megapixels)
            bitmap = page.render(scale=scale, rev_byteorder=False, prefer_bgrx=False)
            try:
                pixels = bitmap.to_numpy()
                return np.array(pixels[:, :, :3] if pixels.ndim == 3 else pixels)  # a copy: the bitmap is freed
            finally:
                bitmap.close()
        finally:
            page.close()
    except pdfium.PdfiumError as error:
        raise SourceError("the PDF page is damaged; export or scan it again") from error


def _load_pdfium() -> Any:
    try:
        import pypdfium2
    except ModuleNotFoundError as error:
        if error.name != "pypdfium2":
            raise
        raise SourceError("PDF needs pypdfium2: pip install 'inkedge[pdf]'") from error
    return pypdfium2
