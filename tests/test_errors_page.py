"""docs/errors.md speaks of messages that the code still gives."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "errors.md"


def spoken() -> str:
    """Every string of the code and the set-up, with … for what is filled in."""
    texts = [(ROOT / "scripts" / "setup").read_text()]
    for room in ("edge", "train", "convert"):
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.JoinedStr):
                    texts.append("".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in node.values))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.append(node.value)
    return "\n".join(texts)


SAID = spoken()


def messages() -> list[str]:
    first_cells = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), flags=re.MULTILINE)
    assert len(first_cells) > 40
    return first_cells


@pytest.mark.parametrize("message", messages())
def test_the_code_still_says(message: str) -> None:
    assert message in SAID
