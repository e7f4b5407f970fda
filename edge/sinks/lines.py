"""An event as one line of text, CSV or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from edge.sinks.base import Event
from edge.sinks.pages import reading_json

Format: TypeAlias = Literal["text", "csv", "jsonl"]
CSV_HEADER = "id,time,frame,event,text,confidence,status,left,top,right,bottom,track\n"


def text_line(event: Event) -> str:
    """`09:00:00.123  appeared  42       97 %  at 341,190,600,240`, local time; `42?` is for review."""
    reading = event.reading
    clock = datetime.fromtimestamp(event.time).astimezone().strftime("%H:%M:%S.%f")[:-3]
    text = reading.text + ("?" if reading.status == "review" else "")
    place = ",".join(map(str, reading.box.as_list()))
    return f"{clock}  {event.happening:8}  {text:10}  {100 * reading.confidence:3.0f} %  at {place}\n"


def csv_line(event: Event) -> str:
    """A row as CSV_HEADER names it; no value can hold a comma or a quote."""
    reading = event.reading
    box = ",".join(map(str, reading.box.as_list()))
    return (
        f"{event.id},{iso_time(event.time)},{event.frame},{event.happening},"
        f"{reading.text},{reading.confidence:.4f},{reading.status},{box},{event.track}\n"
    )


def json_line(event: Event) -> str:
    """One JSON object, keys as documented for `edge run`."""
    line = {
        "id": event.id,
        "time": iso_time(event.time),
        "frame": event.frame,
        "event": event.happening,
        "track": event.track,
        **reading_json(event.reading),
    }
    return json.dumps(line) + "\n"


def iso_time(seconds: float) -> str:
    """Seconds since the epoch as `2026-11-22T09:00:00.123Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


LINES: dict[Format, Callable[[Event], str]] = {"text": text_line, "csv": csv_line, "jsonl": json_line}
