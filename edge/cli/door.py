"""The one place that turns errors into a line on stderr and an exit code; every command line goes through it."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

from edge.errors import EdgeError

if TYPE_CHECKING:
    import typer

INTERRUPTED = 130


def set_talk(*, quiet: bool = False, verbose: bool = False) -> None:
    """How much is said on stderr: warnings only, notes of choices made, or everything."""
    level = logging.ERROR if quiet else logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr, force=True)


def run(app: typer.Typer) -> NoReturn:
    """Run a typer app and exit: 0, an EdgeError's own code, 2 for a malformed command line, 130 for Ctrl-C, 1 for bugs."""
    try:
        app()
        code = 0
    except SystemExit as stop:  # typer's way out, usage errors included
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except EdgeError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        code = error.exit_code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:  # `edge read … | head`: the reader has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception:
        traceback.print_exc()
        print("error: this is a bug of inkedge; please report it with the lines above", file=sys.stderr)  # noqa: T201
        code = 1
    sys.exit(code)
