"""`edge`: the command of the Raspberry Pi; what a command needs is imported when it runs."""

from __future__ import annotations

from typing import NoReturn

import typer

from edge.cli import door
from edge.cli.read import read
from edge.cli.run import run
from edge.cli.system import bench, doctor

app = typer.Typer(
    name="edge",
    help="Read handwritten digits from a camera, photos and scans.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help starts faster and reads the same in a file
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root(quiet: door.Quiet = False, verbose: door.Verbose = False, version: door.Version = False) -> None:
    """Read handwritten digits from a camera, photos and scans."""


app.command()(run)
app.command()(read)
app.command()(doctor)
app.command()(bench)


def main() -> NoReturn:
    """Run the command line."""
    door.run(app)
