"""`edge forms review` and `correct`: a person looks at the values that need one, in the browser or a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.cli import door
from edge.cli.forms_job import Job


def correct(
    job: Job,
    file: Annotated[Path, typer.Argument(metavar="FILE.xlsx", help="What `export --review` wrote, filled in.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Who filled it in [the name you logged in with].")
    ] = None,
    quiet: door.Quiet = False,
    verbose: door.Verbose = False,
) -> None:
    """Take the values that a person typed into a spreadsheet; a line that fits no value is told and left out.

    Example: edge forms export spring --review look.xlsx; edge forms correct spring look.xlsx
    """
    from getpass import getuser

    from edge.forms.job.correct_book import correct_job

    corrected = correct_job(job, file, getuser() if name is None else name)
    typer.echo("\n".join(corrected.lines()), err=True)
    raise typer.Exit(corrected.exit_code)
