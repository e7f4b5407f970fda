"""Which video devices are cameras, on file trees as real machines have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.sources.devices import find_video_device, find_video_devices


def plug(root: Path, number: int, name: str, index: int = 0) -> None:
    about = root / "sys/class/video4linux" / f"video{number}"
    about.mkdir(parents=True)
    (about / "name").write_text(name + "\n")
    (about / "index").write_text(f"{index}\n")
    (root / "dev").mkdir(exist_ok=True)
    (root / "dev" / f"video{number}").touch()


def test_a_machine_without_devices_has_none(tmp_path: Path) -> None:
    assert find_video_devices(tmp_path) == ()


def test_a_usb_camera_is_one_camera_though_it_has_two_devices(tmp_path: Path) -> None:
    plug(tmp_path, 0, "HD Webcam C270")
    plug(tmp_path, 1, "HD Webcam C270", index=1)
    assert [device.kind for device in find_video_devices(tmp_path)] == ["camera", "other"]


def test_devices_come_by_number_and_other_files_are_left_out(tmp_path: Path) -> None:
    for number in (10, 2, 0):
        plug(tmp_path, number, "cam")
    (tmp_path / "dev" / "video-notes").touch()
    assert [device.path for device in find_video_devices(tmp_path)] == ["/dev/video0", "/dev/video2", "/dev/video10"]


def test_a_raspberry_pi_4_with_a_ribbon_camera_has_no_camera_that_opencv_can_read(tmp_path: Path) -> None:
    plug(tmp_path, 0, "unicam-image")
    plug(tmp_path, 1, "unicam-embedded", index=1)
    plug(tmp_path, 10, "bcm2835-codec-decode")
    plug(tmp_path, 13, "bcm2835-isp-output0")
    plug(tmp_path, 19, "rpi-hevc-dec")
    kinds = [device.kind for device in find_video_devices(tmp_path)]
    assert kinds == ["csi", "csi", "other", "other", "other"]


def test_a_raspberry_pi_5_likewise(tmp_path: Path) -> None:
    plug(tmp_path, 0, "rp1-cfe-csi2_ch0")
    plug(tmp_path, 20, "pispbe-input")
    assert [device.kind for device in find_video_devices(tmp_path)] == ["csi", "other"]


def test_a_link_to_a_device_is_that_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.sources.devices.SYSTEM", tmp_path)
    plug(tmp_path, 0, "unicam-image")
    link = tmp_path / "by-id"
    link.symlink_to(tmp_path / "dev" / "video0")
    found = find_video_device(link)
    assert found is not None and found.kind == "csi" and found.path == "/dev/video0"
    assert find_video_device(tmp_path / "dev" / "null") is None
