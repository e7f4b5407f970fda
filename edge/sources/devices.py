"""Video devices of this machine, read from /dev and /sys: which are cameras, and which are traps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

SYSTEM = Path("/")
DeviceKind: TypeAlias = Literal["camera", "csi", "other"]

# Drivers of the Raspberry Pi's CSI connector (Pi 0 to 4, Pi 5): OpenCV opens them and no frame ever comes.
_CSI = ("unicam", "rp1-cfe")
# Its codecs and image processors are video devices too, and not one of them is a camera.
_PROCESSORS = ("bcm2835-", "pispbe", "rpivid", "rpi-hevc")
CSI_REMEDY = (
    "give --camera csi:0, which reads it through picamera2 (sudo apt install python3-picamera2), or run `rpicam-vid "
    "-t 0 --codec mjpeg --listen -o tcp://127.0.0.1:8888` and give --camera tcp://127.0.0.1:8888"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoDevice:
    """A /dev/videoN with its driver's name; csi is a Raspberry Pi's ribbon camera, other is no camera at all."""

    path: str
    name: str
    kind: DeviceKind


def find_video_devices(root: Path = SYSTEM) -> tuple[VideoDevice, ...]:
    """Every /dev/videoN below root, by number; empty if there is none."""
    numbers = [
        int(match[1]) for file in (root / "dev").glob("video*") if (match := re.fullmatch(r"video(\d+)", file.name))
    ]
    return tuple(_device(root, number) for number in sorted(numbers))


def find_video_device(path: Path) -> VideoDevice | None:
    """The device that path means, links such as those in /dev/v4l/by-id followed; None if it is no /dev/videoN."""
    match = re.fullmatch(r"video(\d+)", path.resolve().name)
    return _device(SYSTEM, int(match[1])) if match else None


def _device(root: Path, number: int) -> VideoDevice:
    about = root / "sys/class/video4linux" / f"video{number}"
    name = system_text(about / "name") or "unnamed"
    kind: DeviceKind = "camera"
    if name.startswith(_CSI):
        kind = "csi"
    elif name.startswith(_PROCESSORS) or system_text(about / "index") not in ("", "0"):
        kind = "other"  # a USB camera's second device carries metadata, no pictures
    return VideoDevice(path=f"/dev/video{number}", name=name, kind=kind)


def system_text(file: Path) -> str:
    """First line of a system file without the NUL that ends device-tree strings; empty if it cannot be read."""
    try:
        return file.read_bytes().decode("utf-8", "replace").split("\0")[0].strip()
    except OSError:
        return ""
