"""`edge`: the command of the Raspberry Pi; what a command needs is imported when it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import typer

from edge.cli import door

# command -> the module with the function of that name
COMMANDS = {"run": "edge.cli.run", "read": "edge.cli.read", "doctor": "edge.cli.system", "bench": "edge.cli.system"}

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


def add_commands(arguments: Sequence[str]) -> None:
    """Add the command that the command line begins with; all of them if it begins otherwise, with an option or a slip.

    Typer inspects every option of every command it has, which is a tenth of the start of a short `edge read`.
    """
    asked = [name for name in arguments[:1] if name in COMMANDS]
    for name in asked or COMMANDS:
        app.command(name)(getattr(import_module(COMMANDS[name]), name))


def main() -> NoReturn:
    """Run the command line."""
    add_commands(sys.argv[1:])
    door.run(app)
