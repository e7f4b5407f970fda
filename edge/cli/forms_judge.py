"""`edge forms report` and `audit`: how good a job is, and what was seen on one of its pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.cli import door
from edge.cli.forms_job import Job


def report(
    job: Job,
    truth: Annotated[
        Path,
        typer.Option(metavar="FILE.csv", help="Values that are known: file,field,value,kind, and page if need be."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.html", help="The report to write.")],
    quiet: door.Quiet = False,
    verbose: door.Verbose = False,
) -> None:
    """Judge a job by pages whose values are known: accuracy by field, error against what is refused, worst mistakes.

    Example: edge forms report spring --truth truth.csv -o report.html
    """
    from edge.forms.judge.report import write_report

    typer.echo(write_report(job, truth, output))


def audit(
    job: Job,
    place: Annotated[str, typer.Argument(metavar="SOURCE#PAGE", help="The page, as the job's table names it.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.png", help="The picture to write.")],
    quiet: door.Quiet = False,
    verbose: door.Verbose = False,
) -> None:
    """Draw a page with every box, what was read in it and how sure that is.

    Example: edge forms audit spring scans/0001.jpg#1 -o audit.png
    """
    from edge.forms.judge.audit import write_audit

    typer.echo(write_audit(job, place, output))
