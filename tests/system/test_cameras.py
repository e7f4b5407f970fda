"""The board, the user's groups and the ribbon cameras' stack, on file trees as real machines have them."""

from __future__ import annotations

import grp
import os
from pathlib import Path

import pytest

from edge.system import cameras
from edge.system.cameras import board_name, missing_group, ribbon_stack


def test_the_board_is_named_by_its_device_tree(tmp_path: Path) -> None:
    assert board_name(tmp_path) == ""
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    assert board_name(tmp_path) == "Raspberry Pi 4 Model B Rev 1.4"


def test_the_ribbon_stack_is_devices_library_and_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ribbon_stack(tmp_path).devices == ()
    about = tmp_path / "sys/class/video4linux/video0"
    about.mkdir(parents=True)
    (about / "name").write_text("rp1-cfe-csi2_ch0\n")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/video0").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/libcamera-vid").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    stack = ribbon_stack(tmp_path)
    assert stack.devices == ("/dev/video0",) and stack.app == "libcamera-vid" and not stack.library


def test_the_group_one_is_not_in_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "video0"
    assert missing_group(device) is None
    device.touch()
    monkeypatch.setattr(cameras.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(cameras.os, "getegid", lambda: device.stat().st_gid)
    assert missing_group(device) is None
    monkeypatch.setattr(cameras.os, "getegid", lambda: 123_456)
    monkeypatch.setattr(cameras.os, "getgroups", lambda: [])
    assert missing_group(device) == grp.getgrgid(os.getgid()).gr_name
