"""What the converter's tests share: a trained network, its five conversions, unseen digits, a second interpreter."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edge.sources.digits import load_digits

ROOT = Path(__file__).parents[2]
SHIPPED_RUN = ROOT / "tests" / "models" / "lecture"


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a real run of the lecture network: the tests write beside it."""
    return Path(shutil.copytree(SHIPPED_RUN, tmp_path_factory.mktemp("runs") / "lecture"))


@pytest.fixture(scope="session")
def all_recipes(run_folder: Path) -> Path:
    """The run folder with its five .tflite files and manifests."""
    from convert.quantize import quantize
    from convert.recipes import recipes_named
    from convert.run_folder import open_run

    for _ in quantize(open_run(run_folder), recipes_named("all"), run_folder):
        pass
    return run_folder


@pytest.fixture
def own_model(all_recipes: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a recipe's file and manifest that a test may break."""

    def copy(recipe: str) -> Path:
        for suffix in (".json", ".tflite"):
            shutil.copy(all_recipes / f"lecture-{recipe}{suffix}", tmp_path)
        return tmp_path / f"lecture-{recipe}.tflite"

    return copy


@pytest.fixture(scope="session")
def digits_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,500 MNIST test digits as --data takes them; the training half is a token."""
    images, labels = load_digits()
    file = tmp_path_factory.mktemp("data") / "digits.npz"
    np.savez(file, x_train=images[:10], y_train=labels[:10], x_test=images, y_test=labels)
    return file


@pytest.fixture(scope="session")
def tflite_python() -> Path:
    """The interpreter of the second environment, the one with tflite-runtime."""
    named = os.environ.get("INKEDGE_TFLITE_PYTHON", str(ROOT / ".venv-tflite" / "bin" / "python"))
    if not Path(named).is_file():
        pytest.skip(f"{named}: no environment with tflite-runtime; `scripts/setup --tflite` makes it")
    return Path(named)


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


@pytest.fixture
def edge_convert(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Run `edge-convert` with arguments in this process, through the door that every command goes through."""
    from convert import cli

    def call(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["edge-convert", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        said = capsys.readouterr()
        return Ended(code=int(stop.value.code or 0), out=said.out, err=said.err)

    return call
