"""`edge service`: the camera runtime at boot; its commands are in service_unit."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from edge.cli.commands import Command, add_commands, plain_app

_UNIT = "edge.cli.service_unit"
COMMANDS = {
    "install": Command(_UNIT, "Write the unit and its settings, enable and start it."),
    "uninstall": Command(_UNIT, "Stop it and take its files away; the settings stay."),
    "status": Command(_UNIT, "How the service is."),
    "logs": Command(_UNIT, "What the service said."),
}


def group(arguments: Sequence[str]) -> typer.Typer:
    """The commands behind `edge service`."""
    app = plain_app("service", "Run at boot, as a service of systemd.")
    add_commands(app, COMMANDS, arguments)
    return app
