"""What stands between this machine and its cameras: the board, the user's groups, the stack of ribbon cameras."""

from __future__ import annotations

import grp
import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from edge.sources.devices import find_video_devices, system_text

# rpicam-apps since Bookworm, libcamera-apps before.
_RIBBON_APPS = ("rpicam-vid", "libcamera-vid")


def board_name(root: Path = Path("/")) -> str:
    """The board as its device tree names it, such as `Raspberry Pi 4 Model B Rev 1.4`; empty where there is none."""
    return system_text(root / "proc/device-tree/model")


@dataclass(frozen=True, slots=True, kw_only=True)
class RibbonStack:
    """How a ribbon camera could be read here. devices: those of its drivers; library: picamera2 can be imported.

    app: the program that streams it, None if there is none.
    """

    devices: tuple[str, ...]
    library: bool
    app: str | None


def ribbon_stack(root: Path = Path("/")) -> RibbonStack:
    """The ribbon cameras' stack on this machine; devices are looked for below root. Nothing is opened or imported."""
    return RibbonStack(
        devices=tuple(device.path for device in find_video_devices(root) if device.kind == "csi"),
        library=importlib.util.find_spec("picamera2") is not None,
        app=next((app for app in _RIBBON_APPS if shutil.which(app)), None),
    )


def missing_group(path: Path) -> str | None:
    """The group that owns a device and that this process is not in; None if it is, or if the device is not there."""
    try:
        owner = path.stat().st_gid
    except OSError:
        return None
    if os.geteuid() == 0 or owner in {os.getegid(), *os.getgroups()}:
        return None
    try:
        return grp.getgrgid(owner).gr_name
    except KeyError:
        return str(owner)
