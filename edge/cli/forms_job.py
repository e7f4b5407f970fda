"""`edge forms read`, `status`, `export` and `forget`: a batch of scans read into a job, and what comes out of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from edge.cli import door

Job = Annotated[Path, typer.Argument(metavar="JOB", help="The job's folder.")]


class Format(StrEnum):
    """How pages are written."""

    jsonl = "jsonl"
    csv = "csv"


def read(
    scans: Annotated[list[str], typer.Argument(metavar="SCANS...", help="Images, TIFF, PDF, globs, folders.")],
    template: Annotated[
        list[Path], typer.Option("--template", "-t", metavar="T.toml", help="The form; repeatable for a mixed pile.")
    ],
    job: Annotated[
        Path, typer.Option("--job", metavar="DIR", help="Where the job is kept; a killed run goes on here.")
    ],
    workers: Annotated[
        int, typer.Option(min=0, max=64, help="Processes that read, each of 0.4 GB at most; 0: one a core.")
    ] = 0,
    output_format: Annotated[Format, typer.Option("--format", help="How pages are written.")] = Format.jsonl,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write here instead of stdout; FILE.part until complete.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="A shipped model's name or a .tflite file.")] = None,
    strip_model: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="The same, of the model that reads whole numbers.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Confidence from which a value is sure [the model's own].")
    ] = None,
    max_error: Annotated[
        float | None,
        typer.Option(metavar="P", min=0.0, max=1.0, help="Most wrong among `read`; needs --truth, sets the threshold."),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV of file,field,value,kind: pages of SCANS that are known.")
    ] = None,
    page_s: Annotated[
        float, typer.Option("--page-timeout", metavar="S", min=1.0, help="Longer than this no page may take, in s.")
    ] = 60.0,
    quiet: door.Quiet = False,
    verbose: door.Verbose = False,
) -> None:
    """Read a batch of scanned forms into a table; what is done is kept in the job, so that it can go on after anything.

    Example: edge forms read scans/ --template sheet.toml --job spring --format csv -o spring.csv
    """
    from edge.forms.job.batch import JobSettings, read_job
    from edge.forms.template import load_template
    from edge.live.stop import StopSignals

    settings = JobSettings(
        workers=workers or None,
        model=model,
        strip_model=strip_model,
        threshold=threshold,
        max_error=max_error,
        truth=truth,
        page_s=page_s,
    )
    with StopSignals() as stop:
        templates = [load_template(path) for path in template]
        outcome = read_job(
            scans, templates, job, settings, output_format=output_format.value, output=output, stopped=stop.stopped
        )
    raise typer.Exit(door.INTERRUPTED if stop.interrupted() else outcome.exit_code)


def status(
    job: Job,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
    max_error: Annotated[
        float | None,
        typer.Option(metavar="P", min=0.0, max=1.0, help="Count what is left to look at until so few may be wrong."),
    ] = None,
) -> None:
    """How far a job is: pages read, for review and in error, second copies, and what is still to come.

    Example: edge forms status spring
    """
    from edge.forms.job.job_status import job_status

    found = job_status(job, max_error)
    typer.echo(found.to_json() if as_json else "\n".join(found.lines()))


def export(
    job: Job,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The table: FILE.csv, .jsonl, .xlsx or .parquet."),
    ] = None,
    review: Annotated[
        Path | None,
        typer.Option(metavar="FILE.xlsx", help="Pictures of what is for review, each beside an empty cell."),
    ] = None,
    crops: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Digits that people judged or should, 28×28, and labels.csv.")
    ] = None,
    quiet: door.Quiet = False,
    verbose: door.Verbose = False,
) -> None:
    """Write a job's table: a row a page, texts as texts, corrections in place, second copies left out.

    Example: edge forms export spring -o spring.xlsx
    """
    from edge.forms.job.export import export_all

    for written in export_all(job, output, review=review, crops=crops):
        typer.echo(written, err=True)


def forget(
    job: Job,
    before: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], metavar="DATE", help="Pages read before this day."),
    ],
    quiet: door.Quiet = False,
    verbose: door.Verbose = False,
) -> None:
    """Delete values and pictures of pages read before a day; that they were read stays known.

    Example: edge forms forget spring --before 2026-01-01
    """
    from edge.forms.job.forget import forget_pages

    typer.echo(str(forget_pages(job, before)), err=True)
