"""`edge forms review` and `correct`: a person looks at the values that need one, in the browser or a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.cli import door
from edge.cli.forms_job import Job


def review(
    job: Job,
    serve: Annotated[
        str, typer.Option("--port", metavar="[HOST:]PORT", help="Where the page is; beyond this machine with a token.")
    ] = "8420",
    twice: Annotated[
        bool, typer.Option("--twice", help="Show each value to two names; it counts when both say the same.")
    ] = False,
    max_error: Annotated[
        float | None, typer.Option(metavar="P", min=0.0, max=1.0, help="Ask for values until so few may be wrong.")
    ] = None,
    token_file: Annotated[Path | None, typer.Option(metavar="FILE", help="The token, for other machines.")] = None,
    allow_host: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A name this machine has.")] = None,
    quiet: door.Quiet = False,
    verbose: door.Verbose = False,
) -> None:
    """Look at the values that need a person, in a browser; a job may be read on meanwhile, and others may help.

    Example: edge forms review spring
    """
    from edge.web.review.serve_review import serve_review

    interrupted = serve_review(
        job, serve, twice=twice, max_error=max_error, token_file=token_file, allow_hosts=allow_host or ()
    )
    raise typer.Exit(door.INTERRUPTED if interrupted else 0)


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
