"""The command line: examples in every help, exit codes, data on stdout and talk on stderr."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from train.cli import main

COMMANDS = ("explore", "fit", "evaluate", "predict", "mistakes", "tune")


def call(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["edge-train", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code if isinstance(ended.value.code, int) else int(ended.value.code is not None)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_shows_an_example(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, command, "--help") == 0
    assert f"Example: edge-train {command}" in capsys.readouterr().out


def test_help_needs_neither_keras_nor_numpy() -> None:
    code = "import sys; from train.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    code += "assert not {'keras', 'tensorflow', 'numpy', 'cv2'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "--help"], cwd=Path(__file__).parents[2], capture_output=True)
    assert done.returncode == 0, done.stderr


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith("inkedge ")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("fit", "--model", "papyrus"), 2, "--model papyrus: no such network"),
        (("fit", "--epochs", "0"), 2, "--epochs is 0"),
        (("fit", "--validation-split", "1"), 2, "--validation-split is 1.0"),
        (("fit", "--freeze"), 2, "--freeze needs --from RUN"),
        (("fit", "--keep", "some"), 2, "some"),
        (("fit", "--resume", "RUN", "--seed", "2", "--from", "RUN"), 2, "--seed, --from cannot be changed"),
        (("fit", "--data", "nowhere.npz", "--out", "run"), 3, "nowhere.npz: no such file"),
        (("fit", "--from", "nowhere"), 4, "nowhere: no such run folder"),
        (("evaluate", "nowhere"), 4, "nowhere: no such run folder"),
        (("predict", "RUN"), 2, "either a picture or --index N"),
        (("explore", "--data", "DATA", "-o", "file/a.png"), 6, "file: cannot be written"),
    ],
)
def test_what_is_wrong_is_one_line_and_its_code(
    words: tuple[str, ...],
    code: int,
    message: str,
    trained: Path,
    small_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    places = {"RUN": trained, "DATA": small_file}
    assert call(monkeypatch, *(places.get(word, word) for word in words)) == code
    said = capsys.readouterr()
    assert message in said.err and said.out == "" and "Traceback" not in said.err
    assert not list(tmp_path.glob("run*"))


def test_fit_talks_on_stderr_and_prints_one_line(
    small_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("fit", "--epochs", 1, "--limit", 100, "--data", small_file, "--out", tmp_path / "run")
    assert call(monkeypatch, *words) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{tmp_path / 'run'}: epoch 1 stored, 485,514 parameters")
    assert said.out.count("\n") == 1
    assert "conv1 (Conv2D)" in said.err and "epoch 1/1: " in said.err
    assert call(monkeypatch, *words) == 2
    assert "already holds a model" in capsys.readouterr().err
    assert call(monkeypatch, "--quiet", *words, "--force") == 0
    assert capsys.readouterr().err == ""
    assert call(monkeypatch, "fit", "--resume", tmp_path / "run", "--epochs", 1) == 0
    assert json.loads((tmp_path / "run" / "run.json").read_text())["epochs_done"] == 2


def test_the_module_is_the_command(trained: Path) -> None:
    command = [sys.executable, "-m", "train", "predict", str(trained), "--index", "1"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 10
