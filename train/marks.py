"""Signs that are no digits but stand where digits are expected: points, dashes, ticks, letters, scribbles."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from train.paths import Form, read_forms

# lookalike: letters that cannot be told from digits without their word. strike: a digit crossed out.
Mark: TypeAlias = Literal[
    "dot",
    "comma",
    "dash",
    "equals",
    "plus",
    "slash",
    "percent",
    "currency",
    "bracket",
    "tick",
    "cross",
    "question",
    "circle",
    "square",
    "corner",
    "line_piece",
    "letter",
    "lookalike",
    "scribble",
    "strike",
]
MARKS: tuple[Mark, ...] = get_args(Mark)

MARK_FORMS: dict[str, tuple[Form, ...]] = read_forms("marks.txt")
