"""`edge forms new`, `blank` and `check`: from nothing to a form that can be printed and read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from edge.cli import door

TemplateFile = Annotated[Path, typer.Argument(metavar="T.toml", help="The form's template.")]


class Paper(StrEnum):
    """The sheet that a form is printed on."""

    a4 = "a4"
    letter = "letter"


def new(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="T.toml", help="The template to write.")],
    paper: Annotated[Paper, typer.Option(help="The sheet it is printed on.")] = Paper.a4,
    cell_mm: Annotated[float, typer.Option("--cell-mm", help="Width and height of the box of one digit.")] = 8.0,
) -> None:
    """Write the template of a first form, with a comment on everything that can be changed.

    Example: edge forms new -o sheet.toml --paper letter
    """
    from edge.forms.make.new import write_first_template

    write_first_template(output, paper=paper.value, cell_mm=cell_mm)
    typer.echo(f"{output}: change what you like, then: edge forms blank {output} -o form.pdf", err=True)


def blank(
    template: TemplateFile,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.pdf", help="The PDF to write.")],
    quiet: door.Quiet = False,
    verbose: door.Verbose = False,
) -> None:
    """Write the form as a PDF to print: marks, boxes, names and the page code that tells a mixed pile apart.

    Example: edge forms blank sheet.toml -o sheet.pdf
    """
    from edge.forms.make.blank import write_blank
    from edge.forms.template import load_template

    write_blank(load_template(template), output)


def check(
    template: TemplateFile,
    scan: Annotated[
        Path | None, typer.Argument(metavar="[SCAN]", help="A scan or photo of a filled form: its first page.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.png", help="The boxes drawn over the scan.")
    ] = None,
    quiet: door.Quiet = False,
    verbose: door.Verbose = False,
) -> None:
    """Say what is wrong with a template, each mistake with its line; draw it over a scan to see that the boxes fit.

    Example: edge forms check sheet.toml scan.jpg -o check.png
    """
    from edge.forms.make.check import check_template

    typer.echo(check_template(template, scan, output))
