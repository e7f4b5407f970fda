"""Cameras of this machine through OpenCV and Video4Linux: USB cameras, mostly."""

from __future__ import annotations

import os
import time
from pathlib import Path

import cv2

from edge.errors import SourceError
from edge.sources.camera import CaptureSource
from edge.sources.devices import CSI_REMEDY, find_video_device
from edge.sources.settings import CameraSettings, say_unset

# Frames the driver holds: with one it has nowhere to put the next while we copy, and the rate falls to half.
_BUFFERS = 2
# A cable's disturbance breaks a JPEG or two, and OpenCV says no more than "no frame"; a camera that is gone or stuck
# says so for longer.
_BROKEN_S = 1.0
_PAUSE_S = 0.02
# More than this is not carried raw at 30 frames a second over USB 2.
_RAW_PX = 640 * 480
_MANUAL = 1  # V4L2_EXPOSURE_MANUAL
_EXPOSURE_UNITS_PER_MS = 10  # V4L2_CID_EXPOSURE_ABSOLUTE counts in 100 µs
# OpenCV waits 10 s for a frame unless told, once a process.
_SELECT_TIMEOUT = "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"
# The driver holds no more than its few buffers: what seems older has its time from another clock than ours.
_OLDEST_S = 2.0


class DeviceSource(CaptureSource):
    """A camera of this machine: `/dev/videoN` by its number, or by another path in /dev.

    A frame's time is when the driver says it was taken (the monotonic time of its buffer), where it says so.
    """

    sensor = True

    def __init__(self, device: int | str, *, name: str, settings: CameraSettings | None = None) -> None:
        super().__init__(name, live=True)
        self.path = Path(f"/dev/video{device}") if isinstance(device, int) else Path(device)
        self._settings = settings or CameraSettings()
        self._said = False

    def _open(self) -> cv2.VideoCapture:
        if not self.path.exists():
            others = ", ".join(sorted(str(path) for path in Path("/dev").glob("video*"))) or "none"
            raise SourceError(
                f"camera {self.name}: there is no {self.path}; plug it in, name another (here: {others}) or use demo"
            )
        device = find_video_device(self.path)
        if device is not None and device.kind == "csi":
            raise SourceError(
                f"camera {self.name}: {device.name} is a ribbon camera; OpenCV opens it and no frame ever comes; "
                f"{CSI_REMEDY}"
            )
        os.environ.setdefault(_SELECT_TIMEOUT, str(max(1, round(self._settings.timeout_s / 2))))
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_V4L2)
        if capture.isOpened():
            unset = _set(capture, self._settings)
            if not self._said:
                self._said = True
                say_unset(self.name, unset, "the camera does not take it")
        return capture

    def _explain_closed(self) -> str:
        device = find_video_device(self.path)
        if device is not None and device.kind == "other":
            return f"camera {self.name}: {device.name} is no camera; `edge doctor` lists those there are"
        if not os.access(self.path, os.R_OK | os.W_OK):
            return f"camera {self.name}: {self.path} may not be opened; add yourself to the group `video`, log in again"
        return f"camera {self.name}: {self.path} does not open as a camera; is another program using it?"

    def _end(self, *, given: bool) -> None:
        if not self.path.exists():
            raise SourceError(f"camera {self.name}: {self.path} is gone; is it unplugged?")
        if given:
            raise SourceError(f"camera {self.name}: it gives no more frames; is its cable loose, or its power low?")
        raise SourceError(
            f"camera {self.name}: it opens and gives no frame; is another program using it? A Raspberry Pi's ribbon "
            f"camera does not work this way: {CSI_REMEDY}"
        )

    def _tries_again(self, failing_s: float) -> bool:
        return failing_s < _BROKEN_S and not self._closed.wait(_PAUSE_S) and self.path.exists()

    def _taken_at(self, capture: cv2.VideoCapture) -> float:
        now = time.time()
        age_s = time.monotonic() - capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        return now - age_s if 0 <= age_s < _OLDEST_S else now


def _set(capture: cv2.VideoCapture, settings: CameraSettings) -> tuple[str, ...]:
    """Set what is asked for and return what the camera did not take, with what it does instead."""
    capture.set(cv2.CAP_PROP_BUFFERSIZE, _BUFFERS)
    unset: list[str] = []
    if settings.size is not None:
        width, height = settings.size
        if width * height > _RAW_PX:
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        got = (round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        if got != settings.size:
            unset.append(f"size {width}x{height} (it gives {got[0]}x{got[1]})")
    if settings.fps is not None:
        capture.set(cv2.CAP_PROP_FPS, settings.fps)
        rate = capture.get(cv2.CAP_PROP_FPS)
        if abs(rate - settings.fps) > 0.5:
            unset.append(f"fps {settings.fps:g}" + (f" (it gives {rate:g})" if rate > 0 else ""))
    if settings.exposure_ms is not None:
        units = max(1, round(_EXPOSURE_UNITS_PER_MS * settings.exposure_ms))
        capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL)
        if not capture.set(cv2.CAP_PROP_EXPOSURE, units):
            unset.append("exposure")
    if settings.focus is not None and not _set_focus(capture, settings.focus):
        unset.append("focus")
    return tuple(unset)


def _set_focus(capture: cv2.VideoCapture, focus: float) -> bool:
    """Set the focus as a part of the lens's range, which OpenCV looks up in this mode; False if it has none."""
    capture.set(cv2.CAP_PROP_AUTOFOCUS, 0)
    capture.set(cv2.CAP_PROP_MODE, 1)
    try:
        return bool(capture.set(cv2.CAP_PROP_FOCUS, focus))
    finally:
        capture.set(cv2.CAP_PROP_MODE, 0)
