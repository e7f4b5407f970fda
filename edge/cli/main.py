"""`edge`: the command of the Raspberry Pi; what a command needs is imported when it runs."""

from __future__ import annotations

import sys
from typing import NoReturn

from edge.cli import door
from edge.cli.commands import Command, add_commands, plain_app

COMMANDS = {
    "run": Command("edge.cli.run", "Read the numbers a camera sees; a line whenever one appears, changes or goes."),
    "read": Command("edge.cli.read", "Read the digits on photos and scans."),
    "forms": Command("edge.cli.forms", "Make forms, read batches of them, and keep what was read."),
    "models": Command("edge.cli.models", "Which models this machine uses; put another in their place, and back again."),
    "service": Command("edge.cli.service", "Run at boot, as a service of systemd."),
    "doctor": Command("edge.cli.system", "What is wrong with this machine, and what to do about it."),
    "bench": Command("edge.cli.system", "How fast this machine reads: µs a digit, and ms a frame step by step."),
}

app = plain_app("edge")


@app.callback()
def _root(quiet: door.Quiet = False, verbose: door.Verbose = False, version: door.Version = False) -> None:
    """Read handwritten digits from a camera, photos and scans."""


def main() -> NoReturn:
    """Run the command line."""
    add_commands(app, COMMANDS, sys.argv[1:])
    door.run(app)
