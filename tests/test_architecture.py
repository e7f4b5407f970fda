"""The rooms of the house: who may import whom, and what a module looks like."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("edge", "train", "convert")
# What the Pi does not have.
WORKSTATION = ("tensorflow", "keras", "train", "convert", "matplotlib", "optuna")
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}

BLOCK = """
import importlib, sys
banned = set(sys.argv[1].split(","))
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in banned:
            raise ImportError(f"{name} is not for the edge")
sys.meta_path.insert(0, Refuse())
for name in sys.argv[2:]:
    importlib.import_module(name)
    taken = banned & {loaded.split(".")[0] for loaded in sys.modules}
    assert not taken, f"{name} brought {taken}"
"""

LIST = """
import sys
importlib = __import__("importlib")
importlib.import_module(sys.argv[1])
print("\\n".join(sorted({name.split(".")[0] for name in sys.modules})))
"""


def modules(room: str) -> Iterator[tuple[str, Path]]:
    for file in sorted((ROOT / room).rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), file


def loaded_by(module: str) -> set[str]:
    run = subprocess.run([sys.executable, "-c", LIST, module], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def test_import_contracts_hold() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_edge_module_imports_without_the_workstation() -> None:
    names = [name for name, _ in modules("edge") if not name.endswith("__main__")]
    assert "edge.cli.main" in names
    run = subprocess.run(
        [sys.executable, "-c", BLOCK, ",".join(WORKSTATION), *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr


def test_edge_names_no_workstation_library_in_any_import_however_late() -> None:
    for name, file in modules("edge"):
        for node in ast.walk(ast.parse(file.read_text())):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                found = [node.module or ""]
            for imported in found:
                assert imported.split(".")[0] not in WORKSTATION, (
                    f"{name}:{getattr(node, 'lineno', 0)} imports {imported}"
                )


@pytest.mark.parametrize("module", ["edge.cli.main", "train.cli", "convert.cli"])
def test_a_command_line_starts_without_anything_heavy(module: str) -> None:
    heavy = {"numpy", "cv2", "tensorflow", "keras", "matplotlib", "optuna", "ai_edge_litert", "tflite_runtime"}
    assert not heavy & loaded_by(module)


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_is_longer_than_400_lines(room: str) -> None:
    long = {name: lines for name, file in modules(room) if (lines := len(file.read_text().splitlines())) > 400}
    assert not long, f"split them: {long}"


@pytest.mark.parametrize("room", ROOMS)
def test_modules_are_named_for_what_they_do_and_not_after_the_standard_library(room: str) -> None:
    names = [name.split(".")[-1] for name, _ in modules(room) if not name.endswith("__main__")]
    bad = [name for name in names if name in VAGUE or name in sys.stdlib_module_names]
    assert not bad, bad


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_in_the_rooms_asserts_its_input(room: str) -> None:
    # `python -O` drops assertions, and an AssertionError tells a user nothing.
    for name, file in modules(room):
        for node in ast.walk(ast.parse(file.read_text())):
            assert not isinstance(node, ast.Assert), f"{name}:{node.lineno} asserts; raise an EdgeError that says why"
