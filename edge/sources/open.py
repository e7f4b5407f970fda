"""A source by its SPEC; what a source needs is imported when it is chosen."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from edge.errors import SourceError
from edge.sources.base import Source

STREAM_SCHEMES = ("http://", "https://", "rtsp://", "tcp://")
_HEAD_BYTES = 1024


def open_source(spec: str) -> Source:
    """The source of a SPEC: 0 or usb:0, /dev/video0, http://…, rtsp://…, a video, image or folder, demo, demo:fast.

    Cameras and streams are opened by iterating, not here. Raises SourceError if there is no such source, UsageError
    for a wrong option of the demo.
    """
    for pattern, opener in _KINDS:
        if re.match(pattern, spec):
            return opener(spec)
    return _open_path(spec)


def _open_demo(spec: str) -> Source:
    from edge.sources.demo import open_demo

    return open_demo(spec)


def _open_device(spec: str) -> Source:
    from edge.sources.camera import DeviceSource

    device = spec.removeprefix("usb:")
    return DeviceSource(int(device) if device.isdigit() else device, name=spec)


def _open_stream(spec: str) -> Source:
    from edge.sources.camera import StreamSource

    return StreamSource(spec)


def _refuse_csi(spec: str) -> Source:
    raise SourceError(
        f"camera {spec}: ribbon cameras come with a later version; until then run `rpicam-vid -t 0 --codec mjpeg "
        "--listen -o tcp://127.0.0.1:8888` and give --camera tcp://127.0.0.1:8888"
    )


def _open_path(spec: str) -> Source:
    from edge.sources.files import SUFFIXES
    from edge.sources.headers import find_kind
    from edge.sources.stills import StillSource

    path = Path(spec)
    if spec and path.is_dir():  # Path("") would be the current folder
        return StillSource(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"camera {spec}: {reason}; give 0, http://…, a file, a folder or demo") from error
    try:
        find_kind(head)
    except SourceError as error:
        if path.suffix.lower() in SUFFIXES:
            raise SourceError(f"{spec}: {error}") from error
        # FFmpeg takes any text for a film in ANSI art, and a playlist for leave to open addresses; films are binary.
        if b"\0" not in head:
            raise SourceError(f"{spec}: neither an image nor a video; give another file") from error
        from edge.sources.camera import VideoSource

        return VideoSource(path)
    return StillSource(path)


_KINDS: tuple[tuple[str, Callable[[str], Source]], ...] = (
    (r"demo(:|$)", _open_demo),
    (r"(usb:)?\d+$", _open_device),
    (r"/dev/", _open_device),
    (r"csi:", _refuse_csi),
    ("|".join(STREAM_SCHEMES), _open_stream),
)
