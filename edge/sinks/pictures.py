"""Where pictures of pages go: PNG files whose names tell the page, complete under their name or not there."""

from __future__ import annotations

from pathlib import Path

import cv2

from edge.errors import SinkError
from edge.values import Image, Page


def picture_path(folder: Path, page: Page, number: int | None = None) -> Path:
    """The file in folder for a picture of a page, or of its reading with that number, from 1.

    `scan/a.png` gives `scan_a.png.png`, the page 2 of a PDF `b.pdf#2.png`, its third reading `b.pdf#2-3.png`.
    """
    parts = [part for part in Path(page.source).parts if part not in ("/", "..", ".")]
    suffix = "" if page.page_number == 1 else f"#{page.page_number}"
    reading = "" if number is None else f"-{number}"
    return folder / f"{'_'.join(parts)}{suffix}{reading}.png"


def write_picture(path: Path, picture: Image) -> None:
    """Write a picture (H, W) or (H, W, 3) BGR uint8 as PNG, aside and renamed; makes the folder.

    Raises SinkError if that fails.
    """
    good, content = cv2.imencode(".png", picture)
    if not good:
        raise SinkError(f"{path}: OpenCV cannot write this picture; choose another format or a smaller page")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(content.tobytes())
        part.replace(path)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written: {error.strerror}; choose another folder or make room") from error
