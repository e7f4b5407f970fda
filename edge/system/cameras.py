"""Video devices of this machine, read from /dev, /sys and /proc: which are cameras, and which are traps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

DeviceKind: TypeAlias = Literal["camera", "csi", "other"]

# Drivers of the Raspberry Pi's CSI connector (Pi 0 to 4, Pi 5): OpenCV opens them and no frame ever comes.
_CSI = ("unicam", "rp1-cfe")
# Its codecs and image processors are video devices too, and not one of them is a camera.
_PROCESSORS = ("bcm2835-", "pispbe", "rpivid", "rpi-hevc")


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoDevice:
    """A /dev/videoN with its driver's name; csi is a Raspberry Pi's ribbon camera, other is no camera at all."""

    path: str
    name: str
    kind: DeviceKind


def find_video_devices(root: Path = Path("/")) -> tuple[VideoDevice, ...]:
    """Every /dev/videoN below root, by number; empty if there is none."""
    numbers = [
        int(match[1]) for file in (root / "dev").glob("video*") if (match := re.fullmatch(r"video(\d+)", file.name))
    ]
    return tuple(_device(root, number) for number in sorted(numbers))


def _device(root: Path, number: int) -> VideoDevice:
    about = root / "sys/class/video4linux" / f"video{number}"
    name = _text(about / "name") or "unnamed"
    kind: DeviceKind = "camera"
    if name.startswith(_CSI):
        kind = "csi"
    elif name.startswith(_PROCESSORS) or _text(about / "index") not in ("", "0"):
        kind = "other"  # a USB camera's second device carries metadata, no pictures
    return VideoDevice(path=f"/dev/video{number}", name=name, kind=kind)


def board_name(root: Path = Path("/")) -> str:
    """The board as its device tree names it, such as `Raspberry Pi 4 Model B Rev 1.4`; empty where there is none."""
    return _text(root / "proc/device-tree/model")


def _text(file: Path) -> str:
    """First line of a system file without the NUL that ends device-tree strings; empty if it cannot be read."""
    try:
        return file.read_bytes().decode("utf-8", "replace").split("\0")[0].strip()
    except OSError:
        return ""
