"""Counts as a person says them: 1 page, 12 pages."""

from __future__ import annotations


def counted(count: int, one: str, more: str | None = None) -> str:
    """A count and what is counted: of one, and of none or several, that with an s unless said otherwise."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
