"""`edge models`: which models this machine uses; its commands are in model_store."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from edge.cli.commands import Command, add_commands, plain_app

_STORE = "edge.cli.model_store"
COMMANDS = {
    "list": Command(_STORE, "Which models there are, which are used, and why."),
    "install": Command(_STORE, "Try a model on this machine and use it from now on."),
    "rollback": Command(_STORE, "Use the model before again."),
}


def group(arguments: Sequence[str]) -> typer.Typer:
    """The commands behind `edge models`."""
    app = plain_app("models", "Which models this machine uses; put another in their place, and back again.")
    add_commands(app, COMMANDS, arguments)
    return app
