"""Cameras, network streams and video files through OpenCV."""

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
from edge.sources.base import SourceBase
from edge.sources.decode import quiet_opencv
from edge.values import Frame, Image

# Both below the 5 s in which a run without a picture must have said so.
OPEN_TIMEOUT_MS = 3500
READ_TIMEOUT_MS = 3000
_FFMPEG_LOG = "OPENCV_FFMPEG_LOGLEVEL"
_FFMPEG_QUIET = "-8"


class CaptureSource(SourceBase, ABC):
    """Frames of one cv2.VideoCapture, opened anew by every iteration; what is unlike between kinds is in subclasses."""

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
            given = False
            while not self._closed.is_set():
                good, pixels = capture.read()
                now = time.time()
                if not good:
                    self._end(given=given)
                    return
                given = True
                yield Frame(pixels=cast(Image, pixels), index=self._index, time=now, source=self.name)
                self._index += 1
        finally:
            capture.release()

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


class DeviceSource(CaptureSource):
    """A camera of this machine: `/dev/videoN` by its number, or by another path in /dev."""

    def __init__(self, device: int | str, *, name: str) -> None:
        super().__init__(name, live=True)
        self.device = device
        self.path = Path(f"/dev/video{device}") if isinstance(device, int) else Path(device)

    def _open(self) -> cv2.VideoCapture:
        if not self.path.exists():
            others = ", ".join(sorted(str(path) for path in Path("/dev").glob("video*"))) or "none"
            raise SourceError(
                f"camera {self.name}: there is no {self.path}; plug it in, name another (here: {others}) or use demo"
            )
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_V4L2)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # old frames are of no use
        return capture

    def _explain_closed(self) -> str:
        if not os.access(self.path, os.R_OK | os.W_OK):
            return f"camera {self.name}: {self.path} may not be opened; add yourself to the group `video`, log in again"
        return f"camera {self.name}: {self.path} does not open as a camera; is another program using it?"

    def _end(self, *, given: bool) -> None:
        if given:
            raise SourceError(f"camera {self.name}: it gives no more frames; is it unplugged?")
        raise SourceError(
            f"camera {self.name}: it opens and gives no frame; is another program using it? A Raspberry Pi's ribbon "
            "camera does not work this way: stream it with rpicam-vid and give its address"
        )


class StreamSource(CaptureSource):
    """A network stream FFmpeg knows: MJPEG over http, rtsp, raw video over tcp."""

    def __init__(self, url: str) -> None:
        super().__init__(url, live=True)

    def _open(self) -> cv2.VideoCapture:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
        return cv2.VideoCapture(self.name, cv2.CAP_FFMPEG, limits)

    def _explain_closed(self) -> str:
        return f"camera {self.name}: no video stream there; is the address right, and does the server run?"

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
