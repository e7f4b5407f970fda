"""`edge forms`: batches of scanned forms; new, blank and check make the form itself."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from edge.cli.commands import add_commands, plain_app

# command -> the module with its function
COMMANDS = (
    dict.fromkeys(("new", "blank", "check"), "edge.cli.forms_make")
    | dict.fromkeys(("read", "status", "export", "forget"), "edge.cli.forms_job")
    | dict.fromkeys(("report", "audit"), "edge.cli.forms_judge")
)


def group(arguments: Sequence[str]) -> typer.Typer:
    """The commands behind `edge forms`; of those only the one that the arguments begin with."""
    app = plain_app("forms", "Make forms, read batches of them, and keep what was read.")
    add_commands(app, COMMANDS, arguments)
    return app
