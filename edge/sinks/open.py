"""A sink by its SPEC."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge.errors import UsageError
from edge.sinks.base import QueueingSink
from edge.sinks.lines import Format
from edge.sinks.rotation import Rotation

_FILE_FORMATS: dict[str, Format] = {"jsonl": "jsonl", "csv": "csv"}
_OPTIONS = ("rotate", "keep")
_UNITS = {"": 1, "kB": 1000, "MB": 1_000_000, "GB": 1_000_000_000}
_MOST_KEPT = 1000


def open_sink(spec: str, *, state: Path | None = None) -> QueueingSink:
    """The sink of a SPEC: jsonl:PATH or csv:PATH, each with [:rotate=50MB][:keep=5], or http(s)://HOST/PATH.

    Its write() never raises. state: the folder of queues [state_folder()]. Raises UsageError for another SPEC,
    SinkError if it cannot be written.
    """
    from edge.sinks.holding import HoldingSink

    if _is_web(spec):
        from edge.sinks.webhook import open_webhook

        return HoldingSink(open_webhook(spec, state=state))
    from edge.sinks.file import FileSink

    place = _file_place(spec)
    return HoldingSink(FileSink(place.path, place.form, place.rotation))


def open_mqtt(
    url: str, *, password_file: Path | None = None, ca_file: Path | None = None, state: Path | None = None
) -> QueueingSink:
    """The sink of `mqtt[s]://[user@]host[:port]/TOPIC`; its write() never raises. Raises as the one in mqtt.py."""
    from edge.sinks.holding import HoldingSink
    from edge.sinks.mqtt import open_mqtt as open_queue

    return HoldingSink(open_queue(url, password_file=password_file, ca_file=ca_file, state=state))


def check_places(specs: Iterable[str], mqtt_url: str | None) -> None:
    """Look at SPECs and a broker's URL without opening them: before they are shown, for instance.

    Raises UsageError, which repeats no secret, for one that is malformed or holds a password.
    """
    for spec in specs:
        if _is_web(spec):
            from edge.sinks.webhook import webhook_name

            webhook_name(spec)
        else:
            _file_place(spec)
    if mqtt_url is not None:
        from edge.sinks.mqtt_address import parse_mqtt_url

        parse_mqtt_url(mqtt_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FilePlace:
    form: Format
    path: Path
    rotation: Rotation


def _is_web(spec: str) -> bool:
    return spec.startswith(("http://", "https://"))


def _file_place(spec: str) -> _FilePlace:
    kind, separator, rest = spec.partition(":")
    if kind not in _FILE_FORMATS or not separator or not rest:
        shown = f"{kind}:…" if "@" in rest else spec  # a login of some other scheme
        raise UsageError(f"sink {shown!r}: use jsonl:PATH or csv:PATH, or http(s)://HOST/PATH")
    path, options = _split(rest)
    given = Rotation()
    rotation = Rotation(
        most_bytes=_size(options["rotate"]) if "rotate" in options else given.most_bytes,
        keep=_count(options["keep"]) if "keep" in options else given.keep,
    )
    return _FilePlace(form=_FILE_FORMATS[kind], path=Path(path), rotation=rotation)


def _split(rest: str) -> tuple[str, dict[str, str]]:
    """Path and options of `PATH[:NAME=VALUE]...`; raises UsageError for what looks like an option and is none."""
    options: dict[str, str] = {}
    while found := re.fullmatch(r"(.+):([a-z]+)=([^:/]*)", rest, flags=re.DOTALL):
        rest, name, value = found.groups()
        if name not in _OPTIONS:
            near = difflib.get_close_matches(name, _OPTIONS, 1)
            raise UsageError(f"sink option {name!r}: unknown; use {near[0] if near else ' or '.join(_OPTIONS)}=…")
        if name in options:
            raise UsageError(f"sink option {name!r}: given twice; give it once")
        options[name] = value
    return rest, options


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d{1,9})(kB|MB|GB|)", text)
    size = int(found[1]) * _UNITS[found[2]] if found else 0
    if not size:
        raise UsageError(f"sink option rotate={text}: give a size such as 500kB, 10MB or 2GB")
    return size


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,4}", text) or int(text) > _MOST_KEPT:
        raise UsageError(f"sink option keep={text}: give a number of old files from 0 to {_MOST_KEPT}")
    return int(text)
