"""`edge doctor` and `edge bench`: what is wrong with this machine, and how fast it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")]


def doctor(
    camera: Annotated[
        str | None, typer.Option("--camera", metavar="SPEC", help="Open this camera too; it must give a frame.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Settings of a run to try too [those of the service].")
    ] = None,
    as_json: Json = False,
) -> None:
    """What is wrong with this machine, and what to do about it. Ends with the exit code of the first failed check.

    Example: edge doctor --camera 0
    """
    from edge.system.doctor import examine, exit_code
    from edge.system.show import as_json_text, check_lines

    checks = examine(camera=camera, settings=config)
    typer.echo(as_json_text(checks) if as_json else "\n".join(check_lines(checks)))
    raise typer.Exit(exit_code(checks))


def bench(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="Shipped names or .tflite files; the default if none."),
    ] = None,
    as_json: Json = False,
) -> None:
    """How fast this machine reads: µs a digit, and ms a frame step by step.

    Example: edge bench lecture runs/lecture-1/lecture-float32.tflite
    """
    from edge.system.bench import bench as measure
    from edge.system.show import as_json_text, bench_lines

    result = measure(tuple(models or ()))
    typer.echo(as_json_text(result) if as_json else "\n".join(bench_lines(result)))
