"""Doubles of what no test machine has: a USB camera behind OpenCV's Video4Linux, a ribbon camera behind picamera2."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, ClassVar

import cv2
import numpy as np

from edge.values import Image

PERIOD_S = 0.01


@dataclass
class UsbCamera:
    """What /dev/videoN does, for every cv2.VideoCapture that is opened on it.

    does: `live`; `frozen` (the same picture again and again); `unplugged` (reads fail at once, opening too), `silent`
    (opens, and each read waits and fails), `hangs` (a read does not return while it is so), `broken` (every other
    picture does not decode), `busy` (does not open). Timestamps are
    monotonic, as uvcvideo's are.
    """

    does: str = "live"
    size: tuple[int, int] = (640, 480)
    largest: tuple[int, int] = (1280, 720)
    rate: float = 30.0
    rates: tuple[float, ...] = (15.0, 30.0)
    focus_range: tuple[int, int] | None = (0, 250)
    exposes: bool = True
    delay_s: float = 0.03
    opened: int = 0
    released: int = 0
    values: dict[int, float] = field(default_factory=dict)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(4))
    still: Image | None = None

    def capture(self, _path: str, _backend: int) -> UsbCapture:
        """Stands in for cv2.VideoCapture."""
        self.opened += 1
        return UsbCapture(self)

    def noise(self) -> Image:
        return self.rng.integers(60, 200, (self.size[1], self.size[0], 3), np.uint8)


class UsbCapture:
    """One opened UsbCamera, with the methods of cv2.VideoCapture that are used."""

    def __init__(self, camera: UsbCamera) -> None:
        self.camera = camera
        self.is_open = camera.does not in ("unplugged", "busy")
        self.normalized = False
        self.asked: dict[int, float] = {}
        self.reads = 0
        self.stamp_ms = 0.0

    def isOpened(self) -> bool:
        return self.is_open

    def read(self) -> tuple[bool, Image | None]:
        camera = self.camera
        while camera.does == "hangs":
            time.sleep(PERIOD_S)
        time.sleep(0.3 if camera.does == "silent" else PERIOD_S)
        self.reads += 1
        if camera.does in ("unplugged", "silent") or (camera.does == "broken" and self.reads % 2 == 0):
            return False, None
        self.stamp_ms = 1000 * (time.monotonic() - camera.delay_s)
        if camera.does == "frozen":
            camera.still = camera.noise() if camera.still is None else camera.still
            return True, camera.still.copy()
        return True, camera.noise()

    def get(self, name: int) -> float:
        camera = self.camera
        return {
            cv2.CAP_PROP_FRAME_WIDTH: float(camera.size[0]),
            cv2.CAP_PROP_FRAME_HEIGHT: float(camera.size[1]),
            cv2.CAP_PROP_FPS: camera.rate,
            cv2.CAP_PROP_POS_MSEC: self.stamp_ms,
        }[name]

    def set(self, name: int, value: float) -> bool:
        camera = self.camera
        if name == cv2.CAP_PROP_MODE:
            self.normalized = bool(value)
            return True
        if name in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT):
            self.asked[name] = value
            if len(self.asked) == 2:
                wanted = (int(self.asked[cv2.CAP_PROP_FRAME_WIDTH]), int(self.asked[cv2.CAP_PROP_FRAME_HEIGHT]))
                camera.size = min(wanted, camera.largest)
                self.asked.clear()
            return True
        if name == cv2.CAP_PROP_FPS:
            camera.rate = min(camera.rates, key=lambda rate: abs(rate - value))
            return True
        if name == cv2.CAP_PROP_FOCUS:
            if camera.focus_range is None:
                return False
            least, most = camera.focus_range
            camera.values[name] = least + value * (most - least) if self.normalized else value
            return True
        if name == cv2.CAP_PROP_EXPOSURE and not camera.exposes:
            return False
        camera.values[name] = value
        return True

    def release(self) -> None:
        self.camera.released += 1


class RibbonRequest:
    """A completed request: its arrays, its metadata, and a release without which the camera runs dry."""

    def __init__(self, camera: Picamera2) -> None:
        self._camera = camera
        size = camera.configuration["main"]["size"]
        seed = 1 if Picamera2.does == "frozen" else camera.rng.integers(10**9)
        self._pixels = np.random.default_rng(seed).integers(60, 200, (size[1], size[0], 3), np.uint8)
        camera.held += 1

    def make_array(self, name: str) -> Image:
        assert name == "main"
        return self._pixels.copy()

    def get_metadata(self) -> dict[str, Any]:
        delay_ns = round(1e9 * Picamera2.delay_s)
        return {"SensorTimestamp": time.clock_gettime_ns(time.CLOCK_BOOTTIME) - delay_ns, "ExposureTime": 9000}

    def release(self) -> None:
        self._camera.held -= 1


class Picamera2:
    """picamera2.Picamera2 with its documented methods, for one camera; `does` as for UsbCamera.

    Like the real one: a second one while the first is open is refused, a missing camera is an IndexError, a capture
    that is waited for too long is a TimeoutError, a buffer that is not released is missing.
    """

    does: ClassVar[str] = "live"
    cameras: ClassVar[int] = 1
    open_ones: ClassVar[int] = 0
    opened: ClassVar[int] = 0
    delay_s: ClassVar[float] = 0.04
    has_lens: ClassVar[bool] = True
    last: ClassVar[Picamera2 | None] = None

    @classmethod
    def restart(cls) -> None:
        """A machine just started, with one live camera."""
        cls.does, cls.cameras, cls.open_ones, cls.opened, cls.has_lens, cls.last = "live", 1, 0, 0, True, None

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return [{"Model": "imx708", "Num": number} for number in range(Picamera2.cameras)]

    def __init__(self, camera_num: int = 0) -> None:
        self.global_camera_info()[camera_num]  # raises IndexError as the real one does
        if Picamera2.open_ones or Picamera2.does == "busy":
            raise RuntimeError("Camera __init__ sequence did not complete.")
        Picamera2.open_ones += 1
        Picamera2.opened += 1
        Picamera2.last = self
        self.is_open, self.started, self.held = True, False, 0
        self.rng = np.random.default_rng(6)
        self.configuration: dict[str, Any] = {}
        self.controls: dict[str, Any] = {}
        self.sensor_modes = [{"size": (2304, 1296), "fps": 56.0}]
        self.camera_controls = {"ExposureTime": (1, 66666, 20000), "FrameRate": (1.0, 120.0, 30.0)}
        if Picamera2.has_lens:
            self.camera_controls["LensPosition"] = (0.0, 15.0, 1.0)

    def create_video_configuration(self, main: dict[str, Any], controls: dict[str, Any]) -> dict[str, Any]:
        assert set(main) == {"size", "format"}
        return {"main": main, "controls": controls}

    def configure(self, configuration: dict[str, Any]) -> None:
        if configuration["main"]["size"][0] > 4608:
            raise RuntimeError("Camera configuration has been adjusted!")
        self.configuration = configuration

    def set_controls(self, controls: dict[str, Any]) -> None:
        for name in controls:
            if name not in self.camera_controls and name != "AfMode":
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        self.controls |= controls

    def start(self) -> None:
        assert self.configuration
        self.started = True

    def capture_request(self, wait: float) -> RibbonRequest:
        assert self.started and self.held == 0, "a request was not released"
        end = time.monotonic() + wait
        while Picamera2.does in ("silent", "hangs"):
            if time.monotonic() > end and Picamera2.does == "silent":
                raise TimeoutError
            time.sleep(PERIOD_S)
        time.sleep(PERIOD_S)
        if Picamera2.does == "unplugged":
            raise RuntimeError("Camera frontend has timed out!")
        return RibbonRequest(self)

    def stop(self) -> None:
        self.started = False

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            Picamera2.open_ones -= 1


def picamera2_module() -> ModuleType:
    """A module to put in sys.modules as `picamera2`."""
    module = ModuleType("picamera2")
    module.Picamera2 = Picamera2  # type: ignore[attr-defined]
    return module
