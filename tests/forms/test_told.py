"""docs/errors.md has every message that reading forms can end with."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Mistakes of a caller, which a user never sees.
_INSIDE = {"ShapeError", "ValueError", "TypeError", "KeyError"}


def _text(node: ast.AST) -> str | None:
    """A string of the code with … for what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _raised() -> Iterator[tuple[str, list[str]]]:
    """Where something is raised, and the texts that it says."""
    for file in sorted((ROOT / "edge" / "forms").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
                continue
            name = ast.unparse(node.exc.func)
            texts = [text for one in node.exc.args for part in ast.walk(one) if (text := _text(part))]
            # What only passes on another message has letters of its own nowhere.
            if name not in _INSIDE and texts and re.search("[a-z]", texts[0]):
                yield f"{file.relative_to(ROOT)}:{node.lineno}", texts


def test_what_forms_end_with_is_on_the_page() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    known = re.findall(r"^\| `([^`]+)` \|", page, flags=re.MULTILINE)
    found = list(_raised())
    assert len(found) > 40
    missing = [(place, texts[0]) for place, texts in found if not any(one in text for one in known for text in texts)]
    assert missing == []


def test_each_reason_for_a_look_is_on_the_page() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    from edge.forms.fields import context, struck
    from edge.imaging import cells

    for reason in (struck.STRUCK, context._PALE, context._AMONG_MARKS, cells.BLOT, cells.HARDLY_DARKER):
        assert f"`{reason}`" in page
