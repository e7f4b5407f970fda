"""`edge run`: a camera to readings."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli import door
from edge.cli.read import Format, Mode
from edge.errors import UsageError

if TYPE_CHECKING:
    from edge.live.judge import Judge
    from edge.settings.values import RunSettings
    from edge.toml.table import Flag

_log = logging.getLogger(__name__)

# Every flag that stands in for a key of the settings: its name here, and the key's table and name.
KEYS: dict[str, tuple[str, str]] = {
    "camera": ("camera", "source"),
    "wait": ("camera", "wait"),
    "size": ("camera", "size"),
    "fps": ("camera", "fps"),
    "exposure": ("camera", "exposure_ms"),
    "focus": ("camera", "focus"),
    "rotate": ("camera", "rotation"),
    "mirror": ("camera", "mirror"),
    "timeout": ("camera", "timeout_s"),
    "mode": ("reading", "mode"),
    "model": ("reading", "model"),
    "strip_model": ("reading", "strip_model"),
    "threshold": ("reading", "threshold"),
    "roi": ("reading", "roi"),
    "output_format": ("events", "format"),
    "sink": ("events", "sinks"),
    "mqtt": ("mqtt", "url"),
    "mqtt_password_file": ("mqtt", "password_file"),
    "mqtt_ca": ("mqtt", "ca"),
    "serve": ("web", "serve"),
    "token_file": ("web", "token_file"),
    "allow_host": ("web", "allow_hosts"),
    "snapshots": ("snapshots", "folder"),
    "keep": ("snapshots", "keep"),
    "keep_mb": ("snapshots", "keep_mb"),
    "frames": ("limits", "frames"),
    "seconds": ("limits", "seconds"),
}

_ROI = "LEFT,TOP,RIGHT,BOTTOM in pixels, such as 100,80,540,400"


def run(
    context: typer.Context,
    camera: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            help="0 or usb:0, csi:0, /dev/video0, http://…, rtsp://…, a video, image or folder, or "
            "demo[:fast][:easy][:events][:seed=N], a simulated desk.",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Settings; flags go before what it says.")
    ] = None,
    mode: Annotated[
        Mode | None, typer.Option(help="page: find and read all; number: the picture is one number; digit: one digit.")
    ] = None,
    output_format: Annotated[
        Format | None, typer.Option("--format", help="How events are written to stdout [text].")
    ] = None,
    model: Annotated[str | None, typer.Option(help="A shipped model's name or a .tflite file.")] = None,
    strip_model: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="The same, of the model that reads whole numbers.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(metavar="P", help="Confidence from which a reading is sure [the model's own].")
    ] = None,
    roi: Annotated[str | None, typer.Option(metavar="L,T,R,B", help="Read only this part of the picture, px.")] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="The camera's picture, px.")] = None,
    fps: Annotated[float | None, typer.Option(metavar="N", help="The camera's frames a second.")] = None,
    exposure: Annotated[float | None, typer.Option(metavar="MS", help="A fixed exposure, ms.")] = None,
    focus: Annotated[float | None, typer.Option(metavar="0…1", help="A fixed focus, 0 far to 1 near.")] = None,
    rotate: Annotated[int | None, typer.Option(metavar="DEG", help="0, 90, 180 or 270 degrees clockwise.")] = None,
    mirror: Annotated[bool | None, typer.Option("--mirror/--no-mirror", help="Change left and right.")] = None,
    timeout: Annotated[float | None, typer.Option(metavar="S", help="Silence for so long is a fault [5].")] = None,
    wait: Annotated[
        bool | None, typer.Option("--wait/--no-wait", help="Wait for the camera's first frame, however long.")
    ] = None,
    serve: Annotated[
        str | None, typer.Option(metavar="[HOST:]PORT", help="Show pictures and readings to browsers.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The token that browsers of other machines need.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A name browsers may call this machine by; repeatable.")
    ] = None,
    mqtt: Annotated[
        str | None, typer.Option(metavar="URL", help="Send events to a broker: mqtt[s]://[user@]host[:port]/TOPIC.")
    ] = None,
    mqtt_password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The broker's password [INKEDGE_MQTT_PASSWORD].")
    ] = None,
    mqtt_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The authority behind the broker's certificate [the system's].")
    ] = None,
    sink: Annotated[
        list[str] | None,
        typer.Option(metavar="SPEC", help="Also write to jsonl:PATH, csv:PATH or http(s)://…; repeatable."),
    ] = None,
    snapshots: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep a picture and the reading of each event.")
    ] = None,
    keep: Annotated[int | None, typer.Option(metavar="N", help="So many of them [500].")] = None,
    keep_mb: Annotated[int | None, typer.Option(metavar="MB", help="So many MB of them [200].")] = None,
    frames: Annotated[int | None, typer.Option(metavar="N", help="End after so many frames read.")] = None,
    seconds: Annotated[float | None, typer.Option(metavar="S", help="End after so many seconds.")] = None,
    print_settings: Annotated[
        bool, typer.Option("--print-settings", help="Print all settings as a file for --config, and end.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Demo only: compare with what is written there.")] = False,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Demo only: the last scenes and their readings.")
    ] = None,
    quiet: door.Quiet = False,
    verbose: door.Verbose = False,
) -> None:
    """Read the numbers a camera sees; a line whenever one appears, changes or goes.

    Example: edge run --camera demo:easy --seconds 20 --check
    """
    from edge.settings.read import read_settings

    flags = _said(context)
    settings = read_settings(config, flags)
    _warn_of_secrets(flags)
    if print_settings:
        _print(settings)
    else:
        _follow(settings, lambda: read_settings(config, flags), check=check, picture=picture)


def _warn_of_secrets(flags: list[Flag]) -> None:
    """A password in an address on the command line works, and everybody on this machine can read it there."""
    from edge.sources.addresses import shown_address

    for flag in flags:
        if flag.name == "--camera" and (shown := shown_address(str(flag.value))) != flag.value:
            _log.warning(
                "--camera %s: the list of processes shows its password to everybody on this machine; "
                "put the address into a file for --config",
                shown,
            )


def _print(settings: RunSettings) -> None:
    from edge.settings.write import settings_toml
    from edge.sinks.open import check_places

    check_places(settings.events.sinks, settings.mqtt.url)  # a password in one is refused, not shown
    typer.echo(settings_toml(settings), nl=False)


def _follow(settings: RunSettings, reread: Callable[[], RunSettings], *, check: bool, picture: Path | None) -> None:
    from edge.appliance import Appliance
    from edge.live.memory import keep_little
    from edge.live.stop import RunSignals

    keep_little()
    with RunSignals() as signals, Appliance.open(settings) as appliance:
        judge: Judge | None = None
        if check or picture:
            from edge.live.judge import open_judge

            judge = open_judge(appliance.source, picture=picture is not None)
            appliance.watchers.append(judge)
        try:
            appliance.run(signals, reread)
            appliance.close(signals.left_s())
            if judge:
                _report(judge, check, picture)
        finally:
            if appliance.vitals.frames:
                typer.echo(str(appliance.vitals), err=True)
    if signals.interrupted():
        raise typer.Exit(door.INTERRUPTED)


def _said(context: typer.Context) -> list[Flag]:
    """The flags of the command line that stand in for a key of the settings, with their values as TOML has them."""
    from edge.toml.table import Flag

    names = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    given = {name: context.params[name] for name in KEYS if context.params[name] not in (None, [], ())}
    given |= {name: _numbers(names[name], given[name]) for name in ("size", "roi") if name in given}
    return [Flag(name=str(names[name]), place=KEYS[name], value=_plain(value)) for name, value in given.items()]


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value


def _numbers(name: str | None, text: str) -> list[int]:
    """`100,80,540,400` or `640x480` as numbers."""
    mark, count, like = ("x", 2, "WIDTHxHEIGHT, such as 1280x720") if name == "--size" else (",", 4, _ROI)
    parts = text.split(mark)
    if len(parts) != count or not all(part.strip().isdecimal() and len(part) < 10 for part in parts):
        raise UsageError(f"{name} {text}: give {like}")
    return [int(part) for part in parts]


def _report(judge: Judge, check: bool, picture: Path | None) -> None:
    result, rest = judge.summary()
    if check:
        print(result)  # noqa: T201
        sys.stdout.flush()
        typer.echo(rest, err=True)
    if picture:
        judge.write_picture(picture)
