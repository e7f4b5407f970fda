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

# More than any camera makes; a stream that announces more wants our memory.
_MOST_PX = 100_000_000
# Parts of the timeout in which FFmpeg gives up by itself; together with a look at the address they stay below it.
_OPEN_PART = 0.6
READ_PART = 0.6
_FFMPEG = {
    "OPENCV_FFMPEG_LOGLEVEL": "-8",  # FFmpeg would write what we say better below
    # OpenCV's own choice, and without waiting for twenty frames to find a rate that nobody asks for.
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp|fpsprobesize;1",
}
# A camera's clock and ours drift apart by less than this part; only what falls behind faster is delay. It grows frame
# by frame when we are too slow; more at once is a pause, or timestamps set anew.
_DRIFT = 0.0005
_JUMP_S = 0.5


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
        self._patience_s = float("inf")  # a read that took so long gave up, even if it gives a frame held back before

    def __iter__(self) -> Iterator[Frame]:
        quiet_opencv()
        for key, value in _FFMPEG.items():
            os.environ.setdefault(key, value)
        capture = self._open()
        try:
            if not capture.isOpened():
                raise SourceError(self._explain_closed())
            width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
            if width * height > _MOST_PX:
                raise SourceError(
                    f"camera {self.name}: pictures of {width:.0f}x{height:.0f} are no camera's; send smaller ones"
                )
            yield from self._frames(capture)
        finally:
            capture.release()

    def _frames(self, capture: cv2.VideoCapture) -> Iterator[Frame]:
        given = False
        failing_since: float | None = None
        while not self._closed.is_set():
            asked = time.monotonic()
            good, pixels = self._read(capture)
            if not good or time.monotonic() - asked >= self._patience_s:
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
    """A network stream FFmpeg knows: rtsp, raw video over tcp, films over http.

    name is the address without what is secret in it. Opening and reading give up well within timeout_s. The time of an
    rtsp frame is when it should have come, going by its own timestamps and the frame that came with the least delay;
    of others, which have no timestamps, when it came. FFmpeg scales pictures that change their size within one
    connection to the first one's.
    """

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        super().__init__(shown_address(url), live=True)
        self._url = url
        self._timeout_s = timeout_s
        self._patience_s = READ_PART * timeout_s
        self._stamped = url.startswith("rtsp")
        # When the last frame came, its arrival minus its timestamp, and how much of that was delay.
        self._last: tuple[float, float, float] | None = None

    def _open(self) -> cv2.VideoCapture:
        self._last = None
        limits = {
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: round(1000 * _OPEN_PART * self._timeout_s),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC: round(1000 * self._patience_s),
            cv2.CAP_PROP_N_THREADS: 1,  # each further one holds a frame back, and the others have their own work
        }
        return cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, [number for limit in limits.items() for number in limit])

    def _explain_closed(self) -> str:
        return f"camera {self.name}: {explain_silence(self._url)}; is the address right, and does the server run?"

    def _end(self, *, given: bool) -> None:
        what = "the stream stopped" if given else "the stream opens and gives no frame"
        raise SourceError(f"camera {self.name}: {what}; is the server alive?")

    def _taken_at(self, capture: cv2.VideoCapture) -> float:
        now, came = time.time(), time.monotonic()
        if not self._stamped:
            return now
        offset = came - capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        delay_s = 0.0
        if self._last is not None:
            last_came, last_offset, last_delay_s = self._last
            grown = offset - last_offset - _DRIFT * (came - last_came)
            delay_s = max(0.0, last_delay_s + grown) if grown < _JUMP_S else 0.0
            delay_s = min(delay_s, came - last_came + last_delay_s)  # later than the frame before it
        self._last = (came, offset, delay_s)
        return now - delay_s


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
