"""A source whose pictures are turned or mirrored: for cameras that hang upside down or look at a mirror."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import cv2

from edge.sources.base import Source, SourceBase, opened
from edge.sources.settings import Rotation
from edge.values import Frame, Image

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class TurnedSource(SourceBase):
    """The frames of another source, turned clockwise by `rotation` degrees, then mirrored left to right if asked."""

    def __init__(self, source: Source, *, rotation: Rotation, mirror: bool) -> None:
        self.name = source.name
        self.live = source.live
        self.moving = source.moving
        self.sensor = source.sensor
        self._source = source
        self._rotation = rotation
        self._mirror = mirror

    def __iter__(self) -> Iterator[Frame]:
        with opened(self._source) as frames:
            for frame in frames:
                yield replace(frame, pixels=self._turn(frame.pixels))

    @property
    def broken(self) -> int:  # type: ignore[override]  # a class attribute in the base
        """Those of the source itself."""
        return self._source.broken

    def close(self) -> None:
        """Close the source itself; as often as wanted."""
        self._source.close()

    def _turn(self, pixels: Image) -> Image:
        turned = cv2.rotate(pixels, _TURNS[self._rotation]) if self._rotation else pixels
        return cast(Image, cv2.flip(turned, 1) if self._mirror else turned)
