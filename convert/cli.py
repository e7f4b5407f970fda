"""`edge-convert`: quantize a run, prove the result, look into model files."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from convert.gates import DIGIT_GATES, STRIP_GATES, gates_for
from edge.cli import door
from edge.errors import GateError

log = logging.getLogger(__name__)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Turn a training run into TFLite files and prove that nothing was lost.\n\n"
    "Example: edge-convert quantize runs/lecture --recipe all && edge-convert parity runs/lecture",
)

_USUAL = "unless said, of digit and strip models,"

RUN = typer.Argument(metavar="RUN", help="A run folder of edge-train, a .keras or an .h5 file.")
PYTHONS = typer.Option(
    "--runtime-python", metavar="PATH", help="Use this interpreter's TFLite runtime too (repeatable)."
)


@app.callback()
def _root(quiet: door.Quiet = False, verbose: door.Verbose = False, version: door.Version = False) -> None:
    # Minutes pass between the lines that say what is being done; only --quiet takes them away.
    log.setLevel(logging.ERROR if door.is_quiet() else logging.INFO)


@app.command("quantize")
def quantize_command(
    run: Annotated[Path, RUN],
    recipe: Annotated[str, typer.Option(help="float32, float16, dynamic, int8, int16x8 or all.")] = "all",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the files go; RUN's folder unless said.")
    ] = None,
    runtime_python: Annotated[list[Path] | None, PYTHONS] = None,
) -> None:
    """Write MODEL-RECIPE.tflite and its manifest MODEL-RECIPE.json.

    Example: edge-convert quantize runs/lecture --recipe int8 --out models
    """
    from convert.quantize import quantize
    from convert.recipes import recipes_named
    from convert.report import quantized_table
    from convert.run_folder import open_run
    from convert.runtimes import runtime_at

    opened, recipes = open_run(run), recipes_named(recipe)
    done = []
    for model in quantize(
        opened, recipes, out or opened.folder, others=[runtime_at(path) for path in runtime_python or ()]
    ):
        log.info("wrote %s", model.file)
        done.append(model)
    typer.echo(quantized_table(done))


@app.command("parity")
def parity_command(
    run: Annotated[Path, RUN],
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL...", help=".tflite files or shipped names; all in RUN unless said."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE|FOLDER", help="An .npz or IDX folder; MNIST unless said, or what was held back."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Measure on so many, evenly spread; all unless said.")
    ] = None,
    slow_limit: Annotated[
        int, typer.Option(min=0, help="The same for int16x8, which takes 9 ms a digit; 0 is all.")
    ] = 1000,
    report: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Write the figures as JSON.")] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a page with each differing picture.")
    ] = None,
    max_drop: Annotated[
        float | None,
        typer.Option(
            help=f"Points of accuracy that may be lost; {_USUAL} {DIGIT_GATES.max_drop:g} and {STRIP_GATES.max_drop:g}."
        ),
    ] = None,
    min_agreement: Annotated[
        float | None,
        typer.Option(
            help="Percent to decide as Keras does; "
            f"{_USUAL} {DIGIT_GATES.min_agreement:g} and {STRIP_GATES.min_agreement:g}."
        ),
    ] = None,
    runtime_python: Annotated[list[Path] | None, PYTHONS] = None,
) -> None:
    """Compare Keras with every TFLite file, digit by digit or number by number; exit 20 when a gate is not met.

    Example: edge-convert parity runs/lecture --html parity.html --runtime-python .venv-tflite/bin/python
    """
    from convert.page import parity_page
    from convert.parity import compare, keep_figures, models_of
    from convert.report import parity_json, parity_text, write_text
    from convert.run_folder import open_run
    from convert.runtimes import runtime_at, this_runtime

    opened = open_run(run)
    parity = compare(
        opened,
        models_of(opened, models or ()),
        [this_runtime(), *(runtime_at(path) for path in runtime_python or ())],
        gates=gates_for(opened.task, max_drop=max_drop, min_agreement=min_agreement),
        data=data,
        limit=limit,
        slow_limit=slow_limit or None,
        progress=log.info,
    )
    typer.echo(parity_text(parity))
    for file in keep_figures(parity):
        log.warning("%s: cannot be written, its metrics stay as they are", file)
    if report:
        write_text(report, json.dumps(parity_json(parity), indent=1) + "\n")
    if html:
        write_text(html, parity_page(parity))
    if parity.broken_gates:
        raise GateError("; ".join(broken.words for broken in parity.broken_gates))


@app.command("models")
def models_command(
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN|FILE]...", help="Folders, files or names; what ships unless said."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A list, one object a model.")] = False,
) -> None:
    """List the models that ship, or what is in a file: manifest, tensors, operators.

    Example: edge-convert models runs/lecture/lecture-int8.tflite
    """
    from convert.contents import contents_of, contents_text

    found = list(contents_of(places or ()))
    if as_json:
        typer.echo(json.dumps([contents.to_json() for contents in found], indent=1))
        return
    for contents in found:
        typer.echo(contents_text(contents, details=bool(places)))


def main() -> NoReturn:
    """The command `edge-convert`."""
    door.run(app)
