"""Cameras of the machine in trouble, by doubles: unplugged, silent, hanging in the driver, frozen, back again."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from edge.live.newest import NewestFrame
from edge.live.vitals import Vitals
from edge.patience import Patience
from edge.sources.open import open_source
from edge.sources.settings import CameraSettings
from tests.sources.doubles import Picamera2, UsbCamera, picamera2_module

LONG_S = 30.0
TIMEOUT_S = 2.0


class Machine:
    """A camera and what is seen of it; opened and free count how often it was taken and given back."""

    def __init__(self, spec: str, set_to: Callable[[str], None], held: Callable[[], int]) -> None:
        self.spec, self.set_to, self.held = spec, set_to, held
        self.vitals = Vitals()
        source = open_source(spec, CameraSettings(timeout_s=TIMEOUT_S))
        patience = Patience(first_s=0.05, most_s=0.1)
        self.newest = NewestFrame(source, vitals=self.vitals, timeout_s=TIMEOUT_S, patience=patience)

    def until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + LONG_S
        while not done():
            assert time.monotonic() < end, f"it never came: {self.vitals}"
            self.newest.next(0.02)

    def until_frames(self) -> None:
        end = time.monotonic() + LONG_S
        while self.newest.next(0.05) is None:
            assert time.monotonic() < end, f"no frames: {self.vitals}"


@pytest.fixture(params=["usb", "csi"])
def machine(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Machine]:
    caplog.set_level(logging.WARNING)
    before = threading.active_count()
    if request.param == "usb":
        usb = UsbCamera()
        monkeypatch.setattr("edge.sources.v4l2.cv2.VideoCapture", usb.capture)
        made = Machine("/dev/null", lambda does: setattr(usb, "does", does), lambda: usb.opened - usb.released)
    else:
        Picamera2.restart()
        monkeypatch.setitem(sys.modules, "picamera2", picamera2_module())
        made = Machine("csi:0", lambda does: setattr(Picamera2, "does", does), lambda: Picamera2.open_ones)
    made.until_frames()
    yield made
    made.set_to("live")
    made.newest.close()
    end = time.monotonic() + LONG_S
    while threading.active_count() > before or made.held():
        assert time.monotonic() < end, "a thread or a camera is still held"
        time.sleep(0.01)


@pytest.mark.parametrize("trouble", ["unplugged", "silent", "frozen", "hangs"])
def test_a_camera_in_trouble_is_noticed_said_once_and_heals(
    trouble: str, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    for times in (1, 2):
        machine.set_to(trouble)
        machine.until(lambda: machine.vitals.lost)
        machine.set_to("live")
        machine.until(lambda: not machine.vitals.lost)
        machine.until_frames()
        assert machine.vitals.reconnects == times
    assert ["trying again" in line for line in caplog.messages] == [True, False, True, False]
    assert ["frames again" in line for line in caplog.messages] == [False, True, False, True]
    assert sum(machine.vitals.faults[kind] for kind in ("lost", "frozen")) == 2


def test_a_camera_that_stays_away_is_not_said_again_and_again(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.set_to("unplugged")
    machine.until(lambda: machine.vitals.lost)
    end = time.monotonic() + 1.5
    machine.until(lambda: time.monotonic() > end)
    assert len(caplog.messages) == 1 and machine.vitals.faults == {"lost": 1}
