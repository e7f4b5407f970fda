"""What wears a board down or stops it after weeks: heat, weak power, a wrong clock, a card that fails.

All of it is read from files below a root folder; what the machine does not tell is no Check.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from edge.errors import SinkError
from edge.system.check import Check, doubtful, failed, good

# A Pi slows down at 80 °C, at 85 °C to a crawl.
_HOT_C = 75.0
# This code is newer than any clock that shows an earlier time; boards without a battery start years ago.
_BUILT = time.mktime((2026, 1, 1, 0, 0, 0, 0, 0, 0))
# Bits of the firmware's answer (Raspberry Pi documentation, vcgencmd get_throttled); 16 higher: since the start.
_THROTTLED = {0: "too little voltage", 1: "clock capped", 2: "slowed down", 3: "near its heat limit"}
_SINCE = 16
_FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
_SYNCHRONIZED = ("run/systemd/timesync/synchronized", "var/lib/chrony/drift", "var/lib/ntpsec/ntp.drift")


def check_heat(root: Path) -> Check | None:
    """How hot the processor is."""
    zones = [_number(path, 10) for path in sorted(root.glob("sys/class/thermal/thermal_zone*/temp"))]
    known = [value / 1000 for value in zones if value is not None]
    if not known:
        return None
    hottest = max(known)
    if hottest >= _HOT_C:
        return doubtful("heat", f"{hottest:.0f} °C", "it slows down at 80 °C; give it a heat sink, a fan or more air")
    return good("heat", f"{hottest:.0f} °C")


def check_power(root: Path) -> Check | None:
    """Whether the board was slowed down, now or since it started; only a Raspberry Pi tells."""
    bits = _number(root / _FIRMWARE, 16)
    if bits is None:
        return None
    now = [words for bit, words in _THROTTLED.items() if bits >> bit & 1]
    since = [words for bit, words in _THROTTLED.items() if bits >> (bit + _SINCE) & 1]
    if not now and not since:
        return good("power", "never slowed down since the start")
    found = f"now: {', '.join(now)}" if now else f"since the start: {', '.join(since)}"
    weak = _THROTTLED[0] in now + since
    remedy = "use the board's own power supply and a short cable" if weak else "give it a heat sink, a fan or more air"
    return doubtful("power", found, remedy)


def check_clock(root: Path, now: float | None = None) -> Check:
    """Whether the time can be right: events carry it."""
    now = time.time() if now is None else now
    shown = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    if now < _BUILT:
        return doubtful("clock", shown, "it is wrong; connect the network once, or: sudo date -s '2026-11-22 09:00'")
    if any((root / path).exists() for path in _SYNCHRONIZED):
        return good("clock", f"{shown}, synchronized")
    return doubtful(
        "clock", f"{shown}, not known to be synchronized", "sudo timedatectl set-ntp true, and wait a minute"
    )


def check_disk(root: Path) -> Check | None:
    """Whether the file system of / takes writes and has seen no errors."""
    try:
        mounts = [line.split() for line in (root / "proc/mounts").read_text().splitlines()]
    except (OSError, ValueError):
        return None
    at_root = [fields for fields in mounts if len(fields) > 3 and fields[1] == "/"]
    if not at_root:
        return None
    device, kind, flags = at_root[-1][0], at_root[-1][2], at_root[-1][3].split(",")
    errors = _number(root / "sys/fs" / kind / os.path.basename(device) / "errors_count", 10)  # noqa: PTH119
    if errors:
        remedy = "copy what matters, then check the card (sudo fsck at the next start) or take a new one"
        return doubtful("disk", f"{device}: {errors} errors in its file system", remedy)
    if "ro" in flags:
        remedy = "a card that fails goes read-only; check `dmesg`, take a new card if it names mmcblk0"
        return failed("disk", f"{device}: read-only", remedy, SinkError.exit_code)
    return good("disk", f"{device} ({kind}) takes writes")


def _number(path: Path, base: int) -> int | None:
    try:
        return int(path.read_text().strip(), base)
    except (OSError, ValueError):
        return None
