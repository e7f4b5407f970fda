"""USB cameras through OpenCV and ribbon cameras through picamera2, by doubles: settings, times, messages."""

from __future__ import annotations

import logging
import sys
import time
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import SourceError, UsageError
from edge.sources.addresses import explain_silence, shown_address
from edge.sources.base import opened
from edge.sources.open import open_source
from edge.sources.picamera import PicameraSource
from edge.sources.settings import CameraSettings
from edge.sources.v4l2 import DeviceSource
from edge.values import Frame
from tests.sources.doubles import Picamera2, UsbCamera, picamera2_module


@pytest.fixture
def usb(monkeypatch: pytest.MonkeyPatch) -> UsbCamera:
    camera = UsbCamera()
    monkeypatch.setattr("edge.sources.v4l2.cv2.VideoCapture", camera.capture)
    return camera


@pytest.fixture
def ribbon(monkeypatch: pytest.MonkeyPatch) -> type[Picamera2]:
    Picamera2.restart()
    monkeypatch.setitem(sys.modules, "picamera2", picamera2_module())
    return Picamera2


def frames(spec: str, settings: CameraSettings | None = None, number: int = 3) -> list[Frame]:
    with open_source(spec, settings or CameraSettings()) as source, opened(source) as given:
        return list(islice(given, number))


def test_a_usb_frame_has_the_time_at_which_the_driver_took_it(usb: UsbCamera) -> None:
    usb.delay_s = 0.25
    with open_source("/dev/null") as source, opened(source) as given:
        ages_s = [time.time() - frame.time for frame in islice(given, 3)]
    assert all(0.25 <= age_s < 0.25 + 5 for age_s in ages_s)


def test_a_time_of_another_clock_is_not_believed(usb: UsbCamera) -> None:
    for delay_s in (1e9, -1e9, 300.0):
        usb.delay_s = delay_s
        before = time.time()
        assert all(before <= frame.time <= time.time() for frame in frames("/dev/null"))


def test_a_usb_camera_is_set_as_asked(usb: UsbCamera, caplog: pytest.LogCaptureFixture) -> None:
    settings = CameraSettings(size=(1280, 720), fps=15, exposure_ms=8, focus=0.5)
    assert frames("/dev/null", settings)[0].pixels.shape == (720, 1280, 3)
    assert usb.rate == 15
    assert usb.values[cv2.CAP_PROP_FOCUS] == 125 and usb.values[cv2.CAP_PROP_AUTOFOCUS] == 0
    assert usb.values[cv2.CAP_PROP_EXPOSURE] == 80 and usb.values[cv2.CAP_PROP_AUTO_EXPOSURE] == 1
    assert usb.values[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG"), "raw would not fit through USB 2"
    assert caplog.messages == []


def test_what_a_usb_camera_does_not_take_is_said_once(usb: UsbCamera, caplog: pytest.LogCaptureFixture) -> None:
    usb.focus_range, usb.exposes = None, False
    settings = CameraSettings(size=(1920, 1080), fps=60, exposure_ms=8, focus=1)
    with open_source("/dev/null", settings) as source:
        for _ in range(2):
            with opened(source) as given:
                assert next(given).pixels.shape == (720, 1280, 3)
    (line,) = caplog.messages
    assert "size 1920x1080 (it gives 1280x720), fps 60 (it gives 30), exposure, focus: not set" in line


def test_a_usb_camera_is_left_alone_unless_asked(usb: UsbCamera) -> None:
    frames("/dev/null")
    assert set(usb.values) <= {cv2.CAP_PROP_BUFFERSIZE} and usb.size == (640, 480)


def test_single_broken_pictures_are_no_end(usb: UsbCamera) -> None:
    usb.does = "broken"
    with open_source("/dev/null") as source, opened(source) as given:
        assert len(list(islice(given, 10))) == 10
        assert source.broken >= 9


def test_a_usb_camera_that_opens_and_gives_nothing_says_so(usb: UsbCamera) -> None:
    usb.does = "silent"
    with pytest.raises(SourceError, match=r"opens and gives no frame.*--camera csi:0"):
        frames("/dev/null")
    assert usb.opened == usb.released == 1


def test_an_unplugged_camera_says_so_and_is_read_again_when_it_is_back(usb: UsbCamera, tmp_path: Path) -> None:
    device = tmp_path / "usb-cam"
    device.touch()
    source = DeviceSource(str(device), name="usb:0")
    with opened(source) as given:
        next(given)
        usb.does = "unplugged"
        device.unlink()
        with pytest.raises(SourceError, match="is gone; is it unplugged"):
            next(given)
    with pytest.raises(SourceError, match="plug it in"), opened(source) as given:
        next(given)
    usb.does = "live"
    device.touch()
    with opened(source) as given:
        assert next(given).index == 1, "frames are counted on"


def test_a_busy_camera_says_so(usb: UsbCamera) -> None:
    usb.does = "busy"
    with pytest.raises(SourceError, match="another program"):
        frames("/dev/null")


@pytest.mark.parametrize("driver", ["unicam-image", "rp1-cfe-csi2_ch0"])
def test_a_ribbon_camera_is_named_before_opencv_hangs_on_it(
    driver: str, usb: UsbCamera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / "sys/class/video4linux/video0"
    about.mkdir(parents=True)
    (about / "name").write_text(driver + "\n")
    (tmp_path / "video0").touch()
    monkeypatch.setattr("edge.sources.devices.SYSTEM", tmp_path)
    source = DeviceSource(str(tmp_path / "video0"), name="0")
    with pytest.raises(SourceError, match=rf"{driver} is a ribbon camera.*csi:0.*rpicam-vid"), opened(source) as given:
        next(given)
    assert usb.opened == 0


def test_a_video_device_that_is_no_camera_is_named(
    usb: UsbCamera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / "sys/class/video4linux/video10"
    about.mkdir(parents=True)
    (about / "name").write_text("bcm2835-codec-decode\n")
    (tmp_path / "video10").touch()
    monkeypatch.setattr("edge.sources.devices.SYSTEM", tmp_path)
    usb.does = "busy"
    source = DeviceSource(str(tmp_path / "video10"), name="10")
    with pytest.raises(SourceError, match="bcm2835-codec-decode is no camera"), opened(source) as given:
        next(given)


def test_a_ribbon_frame_has_the_time_of_its_exposure(ribbon: type[Picamera2], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ribbon, "delay_s", 0.3)
    with open_source("csi:0") as source, opened(source) as given:
        ages_s = [time.time() - frame.time for frame in islice(given, 3)]
    assert all(0.3 <= age_s < 0.3 + 5 for age_s in ages_s)


def test_a_ribbon_camera_is_set_as_asked(ribbon: type[Picamera2], caplog: pytest.LogCaptureFixture) -> None:
    settings = CameraSettings(size=(1280, 720), fps=20, exposure_ms=8, focus=0.2)
    assert frames("csi:0", settings)[0].pixels.shape == (720, 1280, 3)
    assert ribbon.last is not None
    assert ribbon.last.configuration["main"] == {"size": (1280, 720), "format": "RGB888"}
    assert ribbon.last.configuration["controls"] == {"FrameRate": 20}
    assert ribbon.last.controls == {"ExposureTime": 8000, "AfMode": 0, "LensPosition": 3.0}
    assert caplog.messages == []


def test_a_lens_that_cannot_be_focused_is_said_once(ribbon: type[Picamera2], caplog: pytest.LogCaptureFixture) -> None:
    ribbon.has_lens = False
    with open_source("csi:0", CameraSettings(focus=0.5)) as source:
        for _ in range(2):
            with opened(source) as given:
                next(given)
    assert len(caplog.messages) == 1 and "csi:0: focus: not set" in caplog.messages[0]


@pytest.mark.parametrize(
    ("does", "words"), [("silent", "no frame in 0.3 s"), ("unplugged", "it stopped"), ("busy", "another program")]
)
def test_a_ribbon_camera_in_trouble_says_so_is_given_back_and_comes_again(
    does: str, words: str, ribbon: type[Picamera2]
) -> None:
    ribbon.does = does
    source = open_source("csi:0", CameraSettings(timeout_s=0.5))
    with pytest.raises(SourceError, match=words), opened(source) as given:
        next(given)
    assert ribbon.open_ones == 0
    ribbon.does = "live"
    with opened(source) as given:
        next(given)
    assert ribbon.open_ones == 0


def test_pictures_larger_than_any_cameras_are_refused(usb: UsbCamera) -> None:
    usb.size = (30_000, 20_000)
    with pytest.raises(SourceError, match="30000x20000"):
        frames("/dev/null")
    assert usb.opened == usb.released


def test_a_ribbon_camera_that_is_not_there_is_said_with_what_is(ribbon: type[Picamera2]) -> None:
    with pytest.raises(SourceError, match="libcamera sees 1 camera; is the ribbon in"):
        frames("csi:1")


def test_a_size_no_ribbon_camera_has_is_said(ribbon: type[Picamera2]) -> None:
    with pytest.raises(SourceError, match=r"does not start .*try without --size"):
        frames("csi:0", CameraSettings(size=(9000, 9000)))
    assert ribbon.open_ones == 0


def test_picamera2_built_for_another_numpy_is_not_called_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "picamera2.py").write_text("raise ValueError('numpy.dtype size changed')\n")
    with pytest.raises(SourceError, match=r"does not load .numpy.dtype size changed.; pip install 'numpy<2'"):
        frames("csi:0")
    (tmp_path / "picamera2.py").write_text("import libcamera_of_the_system\n")
    with pytest.raises(SourceError, match=r"does not load .No module named 'libcamera_of_the_system'"):
        frames("csi:0")


def test_picamera2_is_imported_only_when_it_is_chosen(ribbon: type[Picamera2]) -> None:
    PicameraSource(0, name="csi:0")
    assert ribbon.opened == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (0, 480)},
        {"size": (640, 10**6)},
        {"fps": 0},
        {"exposure_ms": -1},
        {"focus": 1.5},
        {"rotation": 45},
        {"timeout_s": 0},
    ],
)
def test_settings_no_camera_could_follow_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="give "):
        CameraSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("spec", ["demo:fast", "http://127.0.0.1:9/", "STILL"])
def test_settings_a_source_has_no_means_for_are_said(
    spec: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    if spec == "STILL":
        spec = str(tmp_path / "still.png")
        cv2.imwrite(spec, np.zeros((48, 64), np.uint8))
    open_source(spec, CameraSettings(size=(640, 480), focus=0.5))
    assert len(caplog.messages) == 1 and "size, focus: not set" in caplog.messages[0]


@pytest.mark.parametrize(
    ("rotation", "mirror", "corner"),
    [(0, False, "tl"), (90, False, "tr"), (180, False, "br"), (270, False, "bl"), (0, True, "tr"), (90, True, "tl")],
)
def test_pictures_are_turned_clockwise_and_then_mirrored(
    rotation: int, mirror: bool, corner: str, tmp_path: Path
) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:10, :10] = 255
    cv2.imwrite(str(tmp_path / "corner.png"), picture)
    settings = CameraSettings(rotation=rotation, mirror=mirror)  # type: ignore[arg-type]
    (frame,) = frames(str(tmp_path / "corner.png"), settings)
    assert frame.pixels.shape[:2] == ((48, 64) if rotation in (0, 180) else (64, 48))
    y, x = {"t": 2, "b": -3}[corner[0]], {"l": 2, "r": -3}[corner[1]]
    assert (frame.pixels[y, x] == 255).all() and frame.pixels.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://admin:geheim@10.0.0.7:554/h264", "rtsp://admin:***@10.0.0.7:554/h264"),
        ("rtsp://admin:a:b/c@10.0.0.7/", "rtsp://admin:***@10.0.0.7/"),
        ("http://cam/video.cgi?user=me&pwd=x%26y&size=2", "http://cam/video.cgi?user=me&pwd=***&size=2"),
        ("http://cam/?access_token=abc", "http://cam/?access_token=***"),
        ("http://cam:8080/stream", "http://cam:8080/stream"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert shown_address(url) == shown
    assert open_source(url).name == shown


def test_why_an_address_is_silent() -> None:
    assert "refused" in explain_silence("http://127.0.0.1:9/")
    assert explain_silence("http://127.0.0.1:99999/") == explain_silence("http:///x") == "not an address"
