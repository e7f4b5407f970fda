"""`edge read`: image files, PDF and TIFF to readings."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from edge.cli import door


class Mode(StrEnum):
    """What one page holds."""

    digit = "digit"
    number = "number"
    page = "page"


class Format(StrEnum):
    """How readings are written."""

    text = "text"
    csv = "csv"
    jsonl = "jsonl"


def read(
    paths: Annotated[list[str], typer.Argument(help="Image files, TIFF, PDF, globs, folders.", metavar="PATHS...")],
    mode: Annotated[
        Mode, typer.Option(help="digit: a page is one cell; number: one number; page: find and read all.")
    ] = Mode.page,
    output_format: Annotated[Format, typer.Option("--format", help="How readings are written.")] = Format.text,
    model: Annotated[str | None, typer.Option(help="A shipped model's name or a .tflite file.")] = None,
    strip_model: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="The same, of the model that reads whole numbers.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write here instead of stdout; FILE.part until complete.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Confidence from which a reading is sure [the model's own].")
    ] = None,
    annotate: Annotated[Path | None, typer.Option(help="Write each page with its readings drawn on it here.")] = None,
    explain: Annotated[
        Path | None,
        typer.Option(help="Write a sheet for each reading here: crop, ink, pieces, tensors, probabilities."),
    ] = None,
    max_megapixels: Annotated[float, typer.Option(min=0.0, help="Larger pages are refused before decoding.")] = 100.0,
    quiet: door.Quiet = False,
    verbose: door.Verbose = False,
) -> None:
    """Read the digits on photos and scans.

    Example: edge read --format csv --output table.csv scans/ note.jpg

    Example: edge read --mode number --explain sheets/ amount.png
    """
    from edge.reading.files import read_files
    from edge.reading.reader import Reader
    from edge.sinks.pages import open_pages_sink

    reader = Reader.open(mode=mode.value, model=model, strip_model=strip_model, threshold=threshold)
    with open_pages_sink(output_format.value, output) as sink:
        failed = read_files(
            paths, reader, sink, max_megapixels=max_megapixels, annotate_to=annotate, explain_to=explain
        )
    if failed:
        raise typer.Exit(3)
