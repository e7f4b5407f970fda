"""Ribbon (CSI) cameras of a Raspberry Pi through picamera2, which comes with the system and not from PyPI."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from threading import Event
from typing import Any, cast

from edge.errors import SourceError
from edge.sources.base import SourceBase
from edge.sources.settings import CameraSettings, say_unset
from edge.values import Frame, Image

_log = logging.getLogger(__name__)

_SIZE = (640, 480)
_FORMAT = "RGB888"  # libcamera's name for bytes in the order blue, green, red
_MANUAL_FOCUS = 0  # libcamera.controls.AfModeEnum.Manual
# libcamera holds no more than its few buffers: what seems older has its time from another clock than ours.
_OLDEST_S = 2.0
_INSTALL = (
    "sudo apt install python3-picamera2, and make the virtual environment with that Python and --system-site-packages"
)
# Bookworm's picamera2 is built for numpy 1: "numpy.dtype size changed" under numpy 2.
_OLD_NUMPY = "pip install 'numpy<2' 'opencv-python-headless<4.12'"


class PicameraSource(SourceBase):
    """A ribbon camera by its number in libcamera's list; opened anew by every iteration.

    Frames are BGR, 640×480 unless settings say otherwise. A frame's time is when its first row was exposed
    (SensorTimestamp, CLOCK_BOOTTIME).
    """

    live = True
    moving = True
    sensor = True

    def __init__(self, number: int, *, name: str, settings: CameraSettings | None = None) -> None:
        self.name = name
        self._number = number
        self._settings = settings or CameraSettings()
        self._index = 0
        self._said = False
        self._closed = Event()

    def __iter__(self) -> Iterator[Frame]:
        camera = self._open()
        try:
            self._start(camera)
            while not self._closed.is_set():
                pixels, taken = self._fetch(camera)
                yield Frame(pixels=pixels, index=self._index, time=taken, source=self.name)
                self._index += 1
        finally:
            _close(camera)

    def close(self) -> None:
        """Stop after the frame that is being fetched; as often as wanted."""
        self._closed.set()

    def _open(self) -> Any:
        # What goes wrong is said by us, once, and not at each retry by libcamera and picamera2 too.
        os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:FATAL")
        logging.getLogger("picamera2").setLevel(logging.CRITICAL)
        try:
            from picamera2 import Picamera2
        except ModuleNotFoundError as error:
            if error.name != "picamera2":
                raise SourceError(f"camera {self.name}: picamera2 does not load ({error}); {_INSTALL}") from error
            raise SourceError(f"camera {self.name}: picamera2 is not installed; {_INSTALL}") from error
        except (ImportError, ValueError) as error:
            remedy = _OLD_NUMPY if "numpy" in str(error) else _INSTALL
            raise SourceError(f"camera {self.name}: picamera2 does not load ({error}); {remedy}") from error
        try:
            return Picamera2(self._number)
        except IndexError as error:
            there = len(Picamera2.global_camera_info())
            raise SourceError(
                f"camera {self.name}: libcamera sees {there} camera{'s' * (there != 1)}; is the ribbon in, the right "
                "way round? `rpicam-hello --list-cameras` shows them"
            ) from error
        except (RuntimeError, OSError) as error:
            raise SourceError(
                f"camera {self.name}: it does not open ({error}); is another program using it?"
            ) from error

    def _start(self, camera: Any) -> None:
        wanted = self._settings
        controls = {} if wanted.fps is None else {"FrameRate": wanted.fps}
        main = {"size": wanted.size or _SIZE, "format": _FORMAT}
        try:
            camera.configure(camera.create_video_configuration(main=main, controls=controls))
            unset = self._set(camera)
            camera.start()
        except (RuntimeError, ValueError, OSError) as error:
            raise SourceError(
                f"camera {self.name}: it does not start ({error}); try without --size and --fps"
            ) from error
        if not self._said:
            self._said = True
            say_unset(self.name, unset, "this camera has no means for it")

    def _set(self, camera: Any) -> tuple[str, ...]:
        """Set exposure and focus and return those the camera has no control for."""
        has = camera.camera_controls
        unset: list[str] = []
        if self._settings.exposure_ms is not None:
            if "ExposureTime" in has:
                camera.set_controls({"ExposureTime": round(1000 * self._settings.exposure_ms)})
            else:
                unset.append("exposure")
        if self._settings.focus is not None:
            if "LensPosition" in has:
                far, near = has["LensPosition"][:2]  # in dioptres
                position = far + self._settings.focus * (near - far)
                camera.set_controls({"AfMode": _MANUAL_FOCUS, "LensPosition": float(position)})
            else:
                unset.append("focus")
        return tuple(unset)

    def _fetch(self, camera: Any) -> tuple[Image, float]:
        """The next picture and when it was taken. Raises SourceError if none comes in most of the timeout."""
        wait_s = 0.6 * self._settings.timeout_s
        try:
            request = camera.capture_request(wait=wait_s)
        except TimeoutError as error:
            raise SourceError(
                f"camera {self.name}: no frame in {wait_s:.1f} s; is the ribbon loose at one of its ends?"
            ) from error
        except (RuntimeError, OSError) as error:
            raise SourceError(f"camera {self.name}: it stopped ({error}); is its ribbon loose?") from error
        try:
            pixels = request.make_array("main")
            stamp = request.get_metadata().get("SensorTimestamp")
        finally:
            request.release()
        now = time.time()
        age_s = 0.0 if stamp is None else (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - stamp) / 1e9
        return cast(Image, pixels), now - age_s if 0 <= age_s < _OLDEST_S else now


def _close(camera: Any) -> None:
    """Stop the camera and give it back, whatever state it is in."""
    for end in (camera.stop, camera.close):
        try:
            end()
        except (RuntimeError, OSError) as error:  # it is being left for what went wrong before, which is said
            _log.info("camera: %s: %s", end.__name__, error)
