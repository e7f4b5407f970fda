"""`edge models list`, `install`, `rollback`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Task(StrEnum):
    """What a model reads."""

    DIGIT = "digit"
    STRIP = "strip"


def list(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False) -> None:
    """Which models there are; * are those used where --model and --strip-model name none, and why.

    Example: edge models list
    """
    from edge.system.models import known_models, model_lines, models_json

    models = known_models()
    typer.echo(models_json(models) if as_json else "\n".join(model_lines(models)))


def install(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .tflite file beside its manifest.")],
) -> None:
    """Try a model on this machine and, if it reads, use it from now on; the one before is kept.

    Example: sudo /opt/inkedge/bin/edge models install mine-int8.tflite
    """
    from edge.system.models import install_model, used_line

    typer.echo(used_line(install_model(file)), err=True)


def rollback(
    task: Annotated[Task, typer.Option(help="digit: models of single digits; strip: of whole numbers.")] = Task.DIGIT,
) -> None:
    """Use the model before the installed one again; before the first is the one that ships.

    Example: sudo /opt/inkedge/bin/edge models rollback
    """
    from edge.system.models import roll_back, used_line

    typer.echo(used_line(roll_back(task.value)), err=True)
