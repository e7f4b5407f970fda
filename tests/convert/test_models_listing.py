"""`edge-convert models`: what ships, and what is in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_json_has_an_object_a_shipped_model_and_one_default(edge_convert: Callable[..., Any]) -> None:
    ended = edge_convert("models", "--json")
    assert ended.code == 0
    told = json.loads(ended.out)
    assert [model["default"] for model in told].count(True) == 1
    for model in told:
        assert Path(model["file"]).is_absolute() and Path(model["file"]).suffix == ".tflite"
        assert Path(model["file"]).is_file()
        assert model["manifest"]["name"] == model["name"]


def test_the_list_is_short_and_names_the_default(edge_convert: Callable[..., Any]) -> None:
    ended = edge_convert("models")
    assert ended.code == 0 and "lecture" in ended.out and ended.out.count("(default)") == 1


def test_a_file_shows_manifest_operators_and_tensors(edge_convert: Callable[..., Any], all_recipes: Path) -> None:
    ended = edge_convert("models", all_recipes / "lecture-int8.tflite")
    assert ended.code == 0
    assert "CONV_2D×2" in ended.out and "FULLY_CONNECTED×2" in ended.out and "DELEGATE" not in ended.out
    assert "1×28×28×1 uint8" in ended.out and "temperature" in ended.out and "sha256" in ended.out


def test_a_folder_shows_each_of_its_models(edge_convert: Callable[..., Any], all_recipes: Path) -> None:
    told = json.loads(edge_convert("models", all_recipes, "--json").out)
    assert len(told) == 5 and not any(model["default"] for model in told)
    assert all({"name", "file", "default", "operators", "tensors", "manifest", "bytes"} <= set(model) for model in told)


@pytest.mark.parametrize("place", ["nothing.tflite", "nothing"])
def test_what_is_not_there_ends_with_the_code_for_models(edge_convert: Callable[..., Any], place: str) -> None:
    ended = edge_convert("models", place)
    assert ended.code == 4 and "nothing" in ended.err and ended.out == ""


def test_a_folder_without_models_says_how_to_make_them(edge_convert: Callable[..., Any], tmp_path: Path) -> None:
    ended = edge_convert("models", tmp_path)
    assert ended.code == 4 and "edge-convert quantize" in ended.err


@pytest.mark.parametrize("command", [(), ("quantize",), ("parity",), ("models",)])
def test_every_help_has_an_example(edge_convert: Callable[..., Any], command: tuple[str, ...]) -> None:
    ended = edge_convert(*command, "--help")
    assert ended.code == 0 and "Example: edge-convert" in ended.out


def test_a_malformed_command_line_ends_with_2(edge_convert: Callable[..., Any]) -> None:
    assert edge_convert("quantize").code == 2
    assert edge_convert("parity", ".", "--max-drop", "much").code == 2
