"""The settings of `edge run`, as frozen values; the names are the keys of the TOML file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from edge.sources.settings import CameraSettings
from edge.values import Box

Mode: TypeAlias = Literal["page", "number", "digit"]
Format: TypeAlias = Literal["text", "csv", "jsonl"]
MODES: tuple[Mode, ...] = ("page", "number", "digit")
FORMATS: tuple[Format, ...] = ("text", "csv", "jsonl")

# Where the service keeps them; `edge run` itself takes the file that --config names, and no other.
SYSTEM_FILE = Path("/etc/inkedge/edge.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingSettings:
    """How frames are read. threshold: confidence from which a reading is sure, None is the model's own.

    model, strip_model: a shipped name or a .tflite file, None is this machine's. roi: read only this part, px.
    """

    mode: Mode = "page"
    model: str | None = None
    strip_model: str | None = None
    threshold: float | None = None
    roi: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSettings:
    """Where events go besides a broker: stdout, in that format, and the sinks by their SPECs."""

    format: Format = "text"
    sinks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """The broker, None is none: mqtt[s]://[user@]host[:port]/TOPIC, a file with its password, a file with its CA."""

    url: str | None = None
    password_file: Path | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """The preview, None is none: [HOST:]PORT, a file with its token, names of this machine that browsers may use."""

    serve: str | None = None
    token_file: Path | None = None
    allow_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotSettings:
    """The folder for a picture of each event, None is none; how many are kept, and how many MB of them."""

    folder: Path | None = None
    keep: int = 500
    keep_mb: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """When a run ends by itself: after so many frames read, or seconds; None is never."""

    frames: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """All of a run. source: the camera's SPEC, None where neither file nor flags name one; wait: for its first frame.

    `file` is where they were read, None if from flags alone.
    """

    source: str | None = None
    wait: bool = False
    camera: CameraSettings = field(default_factory=CameraSettings)
    reading: ReadingSettings = field(default_factory=ReadingSettings)
    events: EventSettings = field(default_factory=EventSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    web: WebSettings = field(default_factory=WebSettings)
    snapshots: SnapshotSettings = field(default_factory=SnapshotSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    file: Path | None = None
