"""Commands by name: a command's module is imported only when the command line asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module

import typer


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


def add_commands(app: typer.Typer, commands: Mapping[str, str], arguments: Sequence[str]) -> None:
    """Add the command that the arguments begin with; all of them if they begin otherwise, with an option or a slip.

    commands: name -> the module with the function of that name, or with the function `group` that takes the arguments
    behind the name and gives a typer app. Typer inspects every option of every command it has, which is a tenth of the
    start of a short `edge read`.
    """
    asked = [name for name in arguments[:1] if name in commands]
    for name in asked or commands:
        module = import_module(commands[name])
        if hasattr(module, "group"):
            app.add_typer(module.group(arguments[1:]), name=name)
        else:
            app.command(name)(getattr(module, name))
