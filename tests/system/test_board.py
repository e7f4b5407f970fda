"""What wears a board down is told, from files as a Raspberry Pi has them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from edge.system.board import check_clock, check_disk, check_heat, check_power
from edge.system.doctor import examine

FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_a_machine_that_tells_nothing_has_no_such_checks(tmp_path: Path) -> None:
    assert check_heat(tmp_path) is None and check_power(tmp_path) is None and check_disk(tmp_path) is None
    names = [check.name for check in examine(root=tmp_path)]
    assert "heat" not in names and "power" not in names and "clock" in names


@pytest.mark.parametrize(("milli", "level"), [("48312\n", "ok"), ("81000\n", "warn")])
def test_heat(tmp_path: Path, milli: str, level: str) -> None:
    put(tmp_path, "sys/class/thermal/thermal_zone0/temp", "30000\n")
    put(tmp_path, "sys/class/thermal/thermal_zone1/temp", milli)
    check = check_heat(tmp_path)
    assert check is not None and check.level == level and check.found == f"{round(int(milli) / 1000)} °C"


@pytest.mark.parametrize(
    ("bits", "level", "found", "remedy"),
    [
        ("0\n", "ok", "never", ""),
        ("50005\n", "warn", "now: too little voltage, slowed down", "power supply"),
        ("80000\n", "warn", "since the start: near its heat limit", "heat sink"),
    ],
)
def test_power(tmp_path: Path, bits: str, level: str, found: str, remedy: str) -> None:
    put(tmp_path, FIRMWARE, bits)
    check = check_power(tmp_path)
    assert check is not None and check.level == level and found in check.found and remedy in check.remedy


def test_a_clock_that_is_wrong_or_alone(tmp_path: Path) -> None:
    right = time.mktime((2027, 3, 1, 9, 0, 0, 0, 0, 0))
    assert check_clock(tmp_path, 0.0).level == "warn" and "1970" in check_clock(tmp_path, 0.0).found
    assert "timedatectl" in check_clock(tmp_path, right).remedy
    put(tmp_path, "run/systemd/timesync/synchronized", "")
    assert check_clock(tmp_path, right).level == "ok"


@pytest.mark.parametrize(
    ("flags", "errors", "level", "said"),
    [
        ("rw,noatime", "0\n", "ok", "takes writes"),
        ("ro", "0\n", "fail", "read-only"),
        ("rw", "3\n", "warn", "3 errors"),
    ],
)
def test_a_card_that_fails(tmp_path: Path, flags: str, errors: str, level: str, said: str) -> None:
    put(tmp_path, "proc/mounts", f"proc /proc proc rw 0 0\n/dev/mmcblk0p2 / ext4 {flags} 0 0\n")
    put(tmp_path, "sys/fs/ext4/mmcblk0p2/errors_count", errors)
    check = check_disk(tmp_path)
    assert check is not None and check.level == level and said in check.found
    assert check.exit_code == (6 if level == "fail" else 0)
