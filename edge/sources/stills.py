"""Image files and folders as frames: each page one frame."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from edge.errors import SourceError
from edge.sources.base import SourceBase
from edge.sources.files import BadPage, expand_paths, read_pages
from edge.values import Frame

_log = logging.getLogger(__name__)


class StillSource(SourceBase):
    """The pages of an image file, TIFF, PDF or folder, in order; pages that cannot be read are named on stderr."""

    live = False
    moving = False

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.path = path
        self._closed = False

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        for file in expand_paths([self.path]).files:
            for page in read_pages(file):
                if self._closed:
                    return
                if isinstance(page, BadPage):
                    _log.warning("%s page %d: %s", page.source, page.page_number, page.message)
                    continue
                yield Frame(pixels=page.pixels, index=index, time=time.time(), source=page.source)
                index += 1
        if not index:
            raise SourceError(f"{self.name}: no image in it could be read; give a folder or file with images")

    def close(self) -> None:
        """Stop before the next page; as often as wanted."""
        self._closed = True
