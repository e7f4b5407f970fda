"""On which line of a TOML file a key stands, which tomllib does not tell."""

from __future__ import annotations

import re
from typing import TypeAlias

# ("page", "size_mm") is a key of a table, ("field", 2, "columns") one of the third [[field]].
KeyPath: TypeAlias = tuple[str | int, ...]

_PART = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"(\[\[?)[ \t]*({_DOTTED})[ \t]*\]")
_KEY = re.compile(rf"({_DOTTED})[ \t]*=")
_SPACE = re.compile(r"[ \t\r\n]*(?:#[^\n]*[\r\n \t]*)*")
# What a value is made of: strings and comments first, so that brackets and line ends in them do not count.
_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"""'
    r"|'''.*?'''"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}\n]"
    r"|[^\"'#\[\]{}\n]+"
    r"|.",
    re.DOTALL,
)


def find_lines(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of every table and key of a TOML text that tomllib takes; keys inside {…} are not listed."""
    lines: dict[KeyPath, int] = {}
    counts: dict[str, int] = {}
    table: KeyPath = ()
    at, line, counted = 0, 1, 0
    while at < len(text):
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        line, counted = line + text.count("\n", counted, at), at
        if header := _HEADER.match(text, at):
            table = _split(header[2])
            if header[1] == "[[":
                name = ".".join(map(str, table))
                counts[name] = counts.get(name, -1) + 1
                table = (*table, counts[name])
            lines.setdefault(table, line)
            at = text.find("\n", header.end())
            at = len(text) if at < 0 else at
        elif key := _KEY.match(text, at):
            path = _split(key[1])
            for depth in range(1, len(path) + 1):
                lines.setdefault((*table, *path[:depth]), line)
            at = _after_value(text, key.end())
        else:
            at += 1
    return lines


def _split(dotted: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))


def _after_value(text: str, at: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(text, at):
        if token[0] in ("[", "{"):
            depth += 1
        elif token[0] in ("]", "}"):
            depth -= 1
        elif token[0] == "\n" and depth <= 0:
            return token.start()
    return len(text)
