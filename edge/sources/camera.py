"""Network streams and video files through OpenCV's FFmpeg, and what they share with cameras of this machine."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import cast

import cv2

from edge.errors import SourceError
from edge.sources.addresses import explain_silence, shown_address
from edge.sources.base import SourceBase
from edge.sources.decode import quiet_opencv
from edge.values import Frame, Image

# Parts of the timeout in which FFmpeg gives up by itself; together with a look at the address they stay below it.
_OPEN_PART = 0.6
_READ_PART = 0.6
_FFMPEG_LOG = "OPENCV_FFMPEG_LOGLEVEL"
_FFMPEG_QUIET = "-8"


class CaptureSource(SourceBase, ABC):
    """Frames of one cv2.VideoCapture, opened anew by every iteration; what is unlike between kinds is in subclasses.

    A frame's time is when it was fetched, unless the kind knows when it was taken. broken counts reads that gave
    nothing and were followed by another.
    """

    moving = True

    def __init__(self, name: str, *, live: bool) -> None:
        self.name = name
        self.live = live
        self._index = 0
        self._closed = Event()

    def __iter__(self) -> Iterator[Frame]:
        quiet_opencv()
        os.environ.setdefault(_FFMPEG_LOG, _FFMPEG_QUIET)  # FFmpeg would write what we say better below
        capture = self._open()
        try:
            if not capture.isOpened():
                raise SourceError(self._explain_closed())
            yield from self._frames(capture)
        finally:
            capture.release()

    def _frames(self, capture: cv2.VideoCapture) -> Iterator[Frame]:
        given = False
        failing_since: float | None = None
        while not self._closed.is_set():
            asked = time.monotonic()
            good, pixels = self._read(capture)
            if not good:
                failing_since = asked if failing_since is None else failing_since
                if not self._tries_again(time.monotonic() - failing_since):
                    self._end(given=given)
                    return
                self.broken += 1
                continue
            given, failing_since = True, None
            yield Frame(pixels=cast(Image, pixels), index=self._index, time=self._taken_at(capture), source=self.name)
            self._index += 1

    def _read(self, capture: cv2.VideoCapture) -> tuple[bool, cv2.typing.MatLike]:
        try:
            return capture.read()
        except cv2.error as error:  # pixels of a shape that OpenCV itself does not expect, or no memory for them
            raise SourceError(f"camera {self.name}: a picture that cannot be decoded ({error.err})") from error

    def close(self) -> None:
        """Stop after the frame that is being fetched; as often as wanted."""
        # Not released here: the iteration may run in another thread, inside a read.
        self._closed.set()

    @abstractmethod
    def _open(self) -> cv2.VideoCapture:
        """The capture, whether it opened or not."""

    @abstractmethod
    def _explain_closed(self) -> str:
        """The message for a capture that did not open."""

    @abstractmethod
    def _end(self, *, given: bool) -> None:
        """A read gave nothing: return if that is the end of the source, or raise SourceError."""

    def _tries_again(self, failing_s: float) -> bool:
        """Whether a read that gave nothing may be followed by another; the first was asked for failing_s ago."""
        return False

    def _taken_at(self, capture: cv2.VideoCapture) -> float:
        """When the frame just fetched was taken, in s since the epoch."""
        return time.time()


class StreamSource(CaptureSource):
    """A network stream FFmpeg knows: MJPEG over http, rtsp, raw video over tcp.

    name is the address without what is secret in it. Opening and reading give up well within timeout_s.
    """

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        super().__init__(shown_address(url), live=True)
        self._url = url
        self._timeout_s = timeout_s

    def _open(self) -> cv2.VideoCapture:
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            round(1000 * _OPEN_PART * self._timeout_s),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            round(1000 * _READ_PART * self._timeout_s),
        ]
        return cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, limits)

    def _explain_closed(self) -> str:
        return f"camera {self.name}: {explain_silence(self._url)}; is the address right, and does the server run?"

    def _end(self, *, given: bool) -> None:
        what = "the stream stopped" if given else "the stream opens and gives no frame"
        raise SourceError(f"camera {self.name}: {what}; is the server alive?")


class VideoSource(CaptureSource):
    """Every frame of a video file."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), live=False)

    def _open(self) -> cv2.VideoCapture:
        return cv2.VideoCapture(self.name, cv2.CAP_FFMPEG)

    def _explain_closed(self) -> str:
        return f"{self.name}: neither an image nor a video that FFmpeg reads; give another file"

    def _end(self, *, given: bool) -> None:
        if not given:
            raise SourceError(f"{self.name}: the video has no frames; record it again")
