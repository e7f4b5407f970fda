"""The one place that turns errors into a line on stderr and an exit code; every command line goes through it."""

from __future__ import annotations

import errno
import logging
import os
import sys
import traceback
from typing import Annotated, NoReturn, TypeAlias

import typer

from edge import __version__
from edge.errors import EdgeError, SinkError

INTERRUPTED = 130


def set_talk(*, quiet: bool = False, verbose: bool = False) -> None:
    """How much is said on stderr: errors alone, warnings too, or also which choices were made."""
    level = logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr, force=True)


def _quiet(value: bool) -> None:
    if value:
        set_talk(quiet=True)


def _verbose(value: bool) -> None:
    if value:
        set_talk(verbose=True)


def _version(value: bool) -> None:
    if value:
        print(f"inkedge {__version__}")  # noqa: T201
        raise typer.Exit


# Options that each command may offer; they act by their callbacks alone.
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", callback=_quiet, help="Say only what went wrong.")]
Verbose: TypeAlias = Annotated[
    bool, typer.Option("--verbose", "-v", callback=_verbose, help="Say which choices were made, and why.")
]
Version: TypeAlias = Annotated[
    bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
]


def is_quiet() -> bool:
    """True if --quiet asked for silence: progress is not shown then."""
    return logging.getLogger().getEffectiveLevel() >= logging.ERROR


def run(app: typer.Typer) -> NoReturn:
    """Run a typer app and exit: 0, an EdgeError's own code, 2 for a bad command line, 130 for Ctrl-C, 1 for bugs."""
    set_talk()
    try:
        code = app(standalone_mode=False) or 0
    except EdgeError as error:
        code = _tell(error)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:  # `edge read … | head`: the reader has what it wanted
        _drop_stdout()
        code = 0
    except Exception as error:
        if hasattr(error, "exit_code") and hasattr(error, "show"):  # click's own: a malformed command line
            error.show()
            code = int(error.exit_code)
        elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            _drop_stdout()
            code = _tell(SinkError(f"{error.filename or 'output'}: {error.strerror}; make room, then run it again"))
        else:
            traceback.print_exc()
            print("error: this is a bug of inkedge; please report it with the lines above", file=sys.stderr)  # noqa: T201
            code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _drop_stdout() -> None:
    """Let go of what could not be written; otherwise Python tries again when it ends, and fails again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(error: EdgeError) -> int:
    print(f"error: {error}", file=sys.stderr)  # noqa: T201
    return error.exit_code
