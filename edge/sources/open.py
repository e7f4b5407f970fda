"""A source by its SPEC; what a source needs is imported when it is chosen."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from edge.errors import SourceError
from edge.sources.base import Source
from edge.sources.settings import CameraSettings, say_unset

STREAM_SCHEMES = ("http://", "https://", "rtsp://", "tcp://")
_HEAD_BYTES = 1024


def open_source(spec: str, settings: CameraSettings = CameraSettings()) -> Source:
    """The source of a SPEC: 0 or usb:0, csi:0, /dev/video0, http://…, rtsp://…, a video, image or folder, demo[:fast].

    Cameras and streams are opened by iterating, not here. What of the settings a source has no means for is said once
    on stderr and left; rotation and mirror work for all. Raises SourceError if there is no such source, UsageError for
    a wrong option of the demo.
    """
    opener = next((opener for pattern, opener in _KINDS if re.match(pattern, spec)), _open_path)
    source = opener(spec, settings)
    if not settings.rotation and not settings.mirror:
        return source
    from edge.sources.turned import TurnedSource

    return TurnedSource(source, rotation=settings.rotation, mirror=settings.mirror)


def _open_demo(spec: str, settings: CameraSettings) -> Source:
    from edge.sources.demo import open_demo

    say_unset(spec, settings.wanted(), "the demo has no lens and no clock of its own to change")
    return open_demo(spec)


def _open_device(spec: str, settings: CameraSettings) -> Source:
    from edge.sources.v4l2 import DeviceSource

    device = spec.removeprefix("usb:")
    return DeviceSource(int(device) if device.isdigit() else device, name=spec, settings=settings)


def _open_ribbon(spec: str, settings: CameraSettings) -> Source:
    from edge.sources.picamera import PicameraSource

    return PicameraSource(int(spec.removeprefix("csi:")), name=spec, settings=settings)


def _open_stream(spec: str, settings: CameraSettings) -> Source:
    from edge.sources.camera import StreamSource
    from edge.sources.mjpeg import MjpegSource

    kind = MjpegSource if spec.startswith("http") else StreamSource
    source = kind(spec, timeout_s=settings.timeout_s)
    say_unset(source.name, settings.wanted(), "a stream is as its server sends it; set it there")
    return source


def _open_path(spec: str, settings: CameraSettings) -> Source:
    from edge.sources.files import SUFFIXES
    from edge.sources.headers import find_kind
    from edge.sources.stills import StillSource

    say_unset(spec, settings.wanted(), "files are as they were recorded")
    path = Path(spec)
    if spec and path.is_dir():  # Path("") would be the current folder
        return StillSource(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"camera {spec}: {reason}; give 0, csi:0, http://…, a file, a folder or demo") from error
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


_KINDS: tuple[tuple[str, Callable[[str, CameraSettings], Source]], ...] = (
    (r"demo(:|$)", _open_demo),
    (r"(usb:)?\d+$", _open_device),
    (r"/dev/", _open_device),
    (r"csi:\d+$", _open_ribbon),
    ("|".join(STREAM_SCHEMES), _open_stream),
)
