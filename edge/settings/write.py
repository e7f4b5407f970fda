"""RunSettings as the TOML file that gives them back; what is not set stands there as a comment."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from edge.settings.values import RunSettings
from edge.sources.addresses import shown_address
from edge.values import Box

# What is said of each key, and an example of the keys that may be left out.
ABOUT: dict[tuple[str, str], tuple[str, str]] = {
    ("camera", "source"): ("0, /dev/video0, csi:0, rtsp://…, http://…, a video, image or folder, demo", '"0"'),
    ("camera", "wait"): ("wait for the first frame, however long", ""),
    ("camera", "size"): ("width and height, px, before rotation", "[1280, 720]"),
    ("camera", "fps"): ("frames a second", "15.0"),
    ("camera", "exposure_ms"): ("a fixed exposure", "10.0"),
    ("camera", "focus"): ("a fixed focus: 0 far to 1 near", "0.5"),
    ("camera", "rotation"): ("degrees clockwise: 0, 90, 180 or 270", ""),
    ("camera", "mirror"): ("left and right changed", ""),
    ("camera", "timeout_s"): ("silence for so long is a fault", ""),
    ("reading", "mode"): ("page: find and read all; number, digit: the picture is one", ""),
    ("reading", "model"): ("a shipped name or a .tflite file; this machine's own if not set", '"paper"'),
    ("reading", "strip_model"): ("the same, of the model that reads whole numbers", '"strip"'),
    ("reading", "threshold"): ("confidence from which a reading is sure; the model's own if not set", "0.9"),
    ("reading", "roi"): ("read only this part: left, top, right, bottom, px", "[100, 80, 540, 400]"),
    ("events", "format"): ("on stdout: text, csv or jsonl", ""),
    ("events", "sinks"): ("also to jsonl:PATH, csv:PATH, http(s)://…; paths start where the program runs", ""),
    ("mqtt", "url"): ("mqtt[s]://[user@]host[:port]/TOPIC", '"mqtt://homeassistant.local/inkedge/shelf"'),
    ("mqtt", "password_file"): ("the broker's password, on the first line of a file", '"mqtt-password"'),
    ("mqtt", "ca"): ("the authority that signed the broker's certificate, PEM; the system's if not set", '"ca.pem"'),
    ("web", "serve"): ("the preview, [HOST:]PORT; alone, a port is of 127.0.0.1", '"8080"'),
    ("web", "token_file"): (
        "its token off 127.0.0.1; made anew at each start if not set",
        '"token"',
    ),
    ("web", "allow_hosts"): ("more names that browsers may call this machine by", ""),
    ("snapshots", "folder"): ("keep a picture of each event there", '"snapshots"'),
    ("snapshots", "keep"): ("so many of them", ""),
    ("snapshots", "keep_mb"): ("so many MB of them", ""),
    ("limits", "frames"): ("end after so many frames read", "1000"),
    ("limits", "seconds"): ("end after so many seconds", "60.0"),
}


def settings_toml(settings: RunSettings) -> str:
    """The settings as TOML, every key with what it means; read_settings() gives the same settings back.

    Passwords and tokens in addresses stand there as ***.
    """
    lines = ["# Settings of `edge run --config FILE`; a flag of the same name goes before a key."]
    source = None if settings.source is None else shown_address(settings.source)
    sinks = tuple(shown_address(spec) if spec.startswith("http") else spec for spec in settings.events.sinks)
    said = _content(replace(settings, source=source, events=replace(settings.events, sinks=sinks)))
    for (table, key), (about, example) in ABOUT.items():
        if (header := f"[{table}]") not in lines:
            lines += ["", header]
        value = said[table][key]
        lines.append(f"{key} = {_value(value)}  # {about}" if value is not None else f"# {key} = {example}  # {about}")
    return "\n".join(lines) + "\n"


def changes(old: RunSettings, new: RunSettings) -> tuple[str, ...]:
    """Names of the keys, as `camera.fps`, whose values are not the same."""
    before, after = _content(old), _content(new)
    return tuple(f"{table}.{key}" for table, key in ABOUT if before[table][key] != after[table][key])


def _content(settings: RunSettings) -> dict[str, dict[str, object]]:
    reading = {**asdict(settings.reading), "roi": settings.reading.roi}
    return {
        "camera": {"source": settings.source, "wait": settings.wait, **asdict(settings.camera)},
        "reading": reading,
        "events": asdict(settings.events),
        "mqtt": asdict(settings.mqtt),
        "web": asdict(settings.web),
        "snapshots": asdict(settings.snapshots),
        "limits": asdict(settings.limits),
    }


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Box):
        return repr(value.as_list())
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return _quoted(str(value) if isinstance(value, Path) else f"{value}")


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are among TOML's, but for one character that JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
