"""`edge`: the command of the Raspberry Pi; what a command needs is imported when it runs."""

from __future__ import annotations

import sys
from typing import NoReturn

from edge.cli import door
from edge.cli.commands import add_commands, plain_app

COMMANDS = {
    "run": "edge.cli.run",
    "read": "edge.cli.read",
    "forms": "edge.cli.forms",
    "doctor": "edge.cli.system",
    "bench": "edge.cli.system",
}

app = plain_app("edge")


@app.callback()
def _root(quiet: door.Quiet = False, verbose: door.Verbose = False, version: door.Version = False) -> None:
    """Read handwritten digits from a camera, photos and scans."""


def main() -> NoReturn:
    """Run the command line."""
    add_commands(app, COMMANDS, sys.argv[1:])
    door.run(app)
