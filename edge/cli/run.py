"""`edge run`: a camera to readings."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli import door
from edge.cli.read import Format, Mode
from edge.errors import ShapeError, UsageError

if TYPE_CHECKING:
    from edge.live.judge import DemoJudge
    from edge.sources.base import Source
    from edge.values import Box


def run(
    camera: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            help="0 or usb:0, /dev/video0, http://…, rtsp://…, a video, image or folder, or "
            "demo[:fast][:easy][:seed=N], a simulated desk.",
        ),
    ],
    mode: Annotated[
        Mode, typer.Option(help="page: find and read all; number: the picture is one number; digit: one digit.")
    ] = Mode.page,
    output_format: Annotated[Format, typer.Option("--format", help="How events are written to stdout.")] = Format.text,
    model: Annotated[str | None, typer.Option(help="A shipped model's name or a .tflite file.")] = None,
    strip_model: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="The same, of the model that reads whole numbers.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Confidence from which a reading is sure [the model's own].")
    ] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="End after so many frames read.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.0, help="End after so many seconds.")] = None,
    roi: Annotated[str | None, typer.Option(metavar="L,T,R,B", help="Read only this part of the picture, px.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the camera's first frame, however long.")] = False,
    sink: Annotated[
        list[str] | None, typer.Option(metavar="SPEC", help="Also write to jsonl:PATH or csv:PATH; repeatable.")
    ] = None,
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
    from edge.live.loop import Limits, Tally, follow
    from edge.live.stop import StopSignals
    from edge.reading.reader import Reader
    from edge.sinks.console import ConsoleSink
    from edge.sinks.open import open_sink
    from edge.sources.open import open_source

    limits = Limits(frames=frames, seconds=seconds, roi=_parse_roi(roi))
    with StopSignals() as stop, ExitStack() as held:
        source = held.enter_context(open_source(camera))
        judge = _open_judge(source) if check or picture else None
        reader = Reader.open(mode=mode.value, model=model, strip_model=strip_model, threshold=threshold)
        sinks = [ConsoleSink(output_format.value), *(open_sink(spec) for spec in sink or ())]
        for place in sinks:
            held.callback(place.close)
        tally = Tally()
        try:
            for step in follow(source, reader, tally, limits=limits, wait=wait, stopped=stop.stopped):
                for event in step.events:
                    for place in sinks:
                        place.write(event)
                if judge:
                    judge.see(step)
            if judge:
                _report(judge, check, picture)
        finally:
            if tally.frames:
                typer.echo(str(tally), err=True)
    if stop.interrupted():
        raise typer.Exit(door.INTERRUPTED)


def _parse_roi(roi: str | None) -> Box | None:
    if roi is None:
        return None
    from edge.values import Box  # brings numpy, which `edge --help` does without

    try:
        left, top, right, bottom = map(int, roi.split(","))
        return Box(left=left, top=top, right=right, bottom=bottom)
    except (ValueError, ShapeError) as error:
        raise UsageError(f"--roi {roi}: give LEFT,TOP,RIGHT,BOTTOM in pixels, such as 100,80,540,400") from error


def _open_judge(source: Source) -> DemoJudge:
    from edge.live.judge import DemoJudge
    from edge.sources.demo import DemoSource

    if not isinstance(source, DemoSource):
        raise UsageError(f"camera {source.name}: only the demo knows what is written; --check and --picture need it")
    return DemoJudge(source)


def _report(judge: DemoJudge, check: bool, picture: Path | None) -> None:
    judge.finish()
    if check:
        print(f"{judge.right} of {judge.total} numbers right")  # noqa: T201
        sys.stdout.flush()
        typer.echo(
            f"the demo draws {judge.ranges}; {judge.false} false readings shown, {judge.doubtful} more for review",
            err=True,
        )
    if picture:
        judge.write_picture(picture)
