"""`edge forms`: batches of scanned forms; new, blank and check make the form itself."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from edge.cli.commands import Command, add_commands, plain_app

_MAKE, _JOB, _JUDGE = "edge.cli.forms_make", "edge.cli.forms_job", "edge.cli.forms_judge"
_REVIEW = "edge.cli.forms_review"
COMMANDS = {
    "new": Command(_MAKE, "Write the template of a first form, with a comment on everything that can be changed."),
    "blank": Command(
        _MAKE, "Write the form as a PDF to print: marks, boxes, names and the code that tells a pile apart."
    ),
    "check": Command(_MAKE, "Say what is wrong with a template, and draw it over a scan."),
    "read": Command(_JOB, "Read a batch of scanned forms into a table; after anything, the same command goes on."),
    "status": Command(_JOB, "How far a job is: pages read, for review and in error, second copies, still to come."),
    "export": Command(_JOB, "Write a job's table: a row a page, texts as texts, corrections in place."),
    "review": Command(_REVIEW, "Look at the values that need a person, one by one or all sevens, in a browser."),
    "correct": Command(_REVIEW, "Take the values that a person typed into a spreadsheet."),
    "forget": Command(_JOB, "Delete values and pictures of pages read before a day; that they were read stays known."),
    "report": Command(_JUDGE, "Judge a job by pages whose values are known."),
    "audit": Command(_JUDGE, "Draw a page with every box, what was read in it and how sure that is."),
}


def group(arguments: Sequence[str]) -> typer.Typer:
    """The commands behind `edge forms`; of those only the one that the arguments begin with."""
    app = plain_app("forms", "Make forms, read batches of them, and keep what was read.")
    add_commands(app, COMMANDS, arguments)
    return app
