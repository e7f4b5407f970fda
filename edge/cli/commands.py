"""Commands by name: a command's module is imported only when the command line asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

import typer


class Command(NamedTuple):
    """Where a command is: the module with the function of its name, or with `group`; and what the help says of it."""

    module: str
    summary: str


def plain_app(name: str, text: str | None = None) -> typer.Typer:
    """An app or group of commands with that name and help, set up as all of ours are."""
    return typer.Typer(
        name=name,
        help=text,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help starts faster and reads the same in a file
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def add_commands(app: typer.Typer, commands: Mapping[str, Command], arguments: Sequence[str]) -> None:
    """Add the command that the arguments ask for, behind flags or not; if none, all of them as names for the help.

    A module may have the function `group`, which takes the arguments behind the name and gives a typer app. Typer
    inspects every option of every command it has: a tenth of the start of a short `edge read`, a third of `--help`.
    """
    at = next((place for place, word in enumerate(arguments) if not word.startswith("-")), None)
    if at is None or arguments[at] not in commands:
        for name, command in commands.items():
            app.command(name, help=command.summary)(_never_called)
        return
    name = arguments[at]
    module = import_module(commands[name].module)
    if hasattr(module, "group"):
        app.add_typer(module.group(arguments[at + 1 :]), name=name)
    else:
        app.command(name)(getattr(module, name))


def _never_called() -> None:
    """Stands for a command that is only listed."""
