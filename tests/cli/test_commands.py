"""The list of commands stands apart from the commands: each listed one is there, and flags may come before it."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from edge.cli import forms, main
from edge.cli.commands import Command

ALL = [pytest.param(name, command, id=name) for name, command in (main.COMMANDS | forms.COMMANDS).items()]


def edge(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "edge", *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(("name", "command"), ALL)
def test_a_listed_command_is_there(name: str, command: Command) -> None:
    module = import_module(command.module)
    assert callable(getattr(module, "group", None) or getattr(module, name))


def test_help_names_every_command() -> None:
    listed = edge("--help").stdout
    assert all(f"  {name} " in listed for name in main.COMMANDS)


def test_flags_may_come_before_a_command() -> None:
    done = edge("--quiet", "forms", "status", "nowhere")
    assert done.returncode not in (0, 1) and "nowhere" in done.stderr


def test_a_slip_is_told_with_the_nearest_command() -> None:
    done = edge("reed")
    assert done.returncode == 2 and "read" in done.stderr
