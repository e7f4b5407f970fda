"""From a TOML file and flags to RunSettings; a flag stands in for the file's key, and keeps the same rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from edge.errors import ShapeError, UsageError
from edge.settings.values import (
    FORMATS,
    MODES,
    EventSettings,
    LimitSettings,
    MqttSettings,
    ReadingSettings,
    RunSettings,
    SnapshotSettings,
    WebSettings,
)
from edge.sources.settings import CameraSettings, Rotation
from edge.toml.table import Flag, Table, read_toml
from edge.values import Box

_TURNS: tuple[Rotation, ...] = get_args(Rotation)
_MOST_PX = 16_384
# Frames of a year at 30 a second.
_MOST = 999_999_999


def read_settings(file: Path | None, flags: Sequence[Flag] = ()) -> RunSettings:
    """The settings in a file (None: no file) with the flags before it.

    Raises UsageError with a line for each mistake: the flag, or the file, its line and the key.
    """
    top, mistakes = read_toml(file, flags)
    camera, reading, events = top.table("camera"), top.table("reading"), top.table("events")
    mqtt, web, snapshots, limits = top.table("mqtt"), top.table("web"), top.table("snapshots"), top.table("limits")
    settings = RunSettings(
        source=camera.text("source"),
        wait=camera.flag("wait"),
        camera=_camera(camera),
        reading=_reading(reading),
        events=_events(events),
        mqtt=MqttSettings(url=mqtt.text("url"), password_file=_path(mqtt, "password_file"), ca=_path(mqtt, "ca")),
        web=_web(web),
        snapshots=_snapshots(snapshots),
        limits=LimitSettings(
            frames=limits.whole("frames", None, 1, _MOST), seconds=limits.number("seconds", None, 0.0, _MOST, "s")
        ),
        file=file,
    )
    for table in (camera, reading, events, mqtt, web, snapshots, limits, top):
        table.close()
    mistakes.raise_if_any()
    return settings


def _camera(table: Table) -> CameraSettings:
    """CameraSettings knows its ranges; asked key by key it tells which key breaks them."""
    said: dict[str, Any] = {
        "size": table.wholes("size", 2, 0, _MOST),
        "fps": table.number("fps", None, 0.0, _MOST),
        "exposure_ms": table.number("exposure_ms", None, 0.0, _MOST),
        "focus": table.number("focus", None, 0.0, _MOST),
        "rotation": table.choice("rotation", _TURNS, 0),
        "mirror": table.flag("mirror"),
        "timeout_s": table.number("timeout_s", None, 0.0, _MOST),
    }
    said = {key: value for key, value in said.items() if value is not None}
    for key, value in list(said.items()):
        try:
            CameraSettings(**{key: value})
        except UsageError as error:
            table.wrong(key, str(error))
            del said[key]
    return CameraSettings(**said)


def _reading(table: Table) -> ReadingSettings:
    return ReadingSettings(
        mode=table.choice("mode", MODES, "page") or "page",
        model=table.text("model"),
        strip_model=table.text("strip_model"),
        threshold=table.number("threshold", None, 0.0, 1.0),
        roi=_roi(table),
    )


def _roi(table: Table) -> Box | None:
    sides = table.wholes("roi", 4, 0, _MOST_PX)
    try:
        return None if sides is None else Box(**dict(zip(("left", "top", "right", "bottom"), sides, strict=True)))
    except ShapeError as error:
        table.wrong("roi", f"{error}; give left, top, right, bottom in px")
        return None


def _events(table: Table) -> EventSettings:
    usual = EventSettings()
    return EventSettings(
        format=table.choice("format", FORMATS, usual.format) or usual.format, sinks=table.texts("sinks") or ()
    )


def _web(table: Table) -> WebSettings:
    return WebSettings(
        serve=table.text("serve"), token_file=_path(table, "token_file"), allow_hosts=table.texts("allow_hosts") or ()
    )


def _snapshots(table: Table) -> SnapshotSettings:
    usual = SnapshotSettings()
    return SnapshotSettings(
        folder=_path(table, "folder"),
        keep=table.whole("keep", usual.keep, 1, _MOST) or usual.keep,
        keep_mb=table.whole("keep_mb", usual.keep_mb, 1, _MOST) or usual.keep_mb,
    )


def _path(table: Table, key: str) -> Path | None:
    text = table.text(key)
    return None if text is None else Path(text)
