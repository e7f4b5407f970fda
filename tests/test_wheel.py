"""The wheel, installed alone into an empty environment, reads a photo with no TensorFlow anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.sources.digits import load_digits

ROOT = Path(__file__).parent.parent
# What git would hand over is what a wheel is built from; copying it keeps build folders out of the repository.
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "LICENSES-DATA.md", "edge", "train", "convert")


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A program that must succeed, without this environment's own variables for Python."""
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "INKEDGE"))
    }
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    source.mkdir()
    run("cp", "-r", *(ROOT / name for name in SOURCES), source, cwd=place)
    # setuptools is in the pip index as everything else; what is built must not depend on what is installed here.
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", place, source, cwd=place)
    (file,) = place.glob("inkedge-*.whl")
    return file


@pytest.fixture(scope="module")
def lone_bin(wheel: Path) -> Path:
    """The bin folder of a new environment that holds the wheel and its dependencies, nothing else."""
    venv = wheel.parent / "venv"
    run(sys.executable, "-m", "venv", venv, cwd=wheel.parent)
    # The tested versions, so that a release of tomorrow does not fail today's tests.
    constraints = ROOT / "scripts" / "constraints.txt"
    run(venv / "bin" / "pip", "install", "--quiet", "--constraint", constraints, wheel, cwd=wheel.parent)
    return venv / "bin"


@pytest.fixture(scope="module")
def photo(wheel: Path) -> Path:
    """Grey paper with the number 7210 on it, inked with the first four shipped digits."""
    images, labels = load_digits()
    assert labels[:4].tolist() == [7, 2, 1, 0]
    paper = np.full((480, 640), 205.0)
    for place, digit in enumerate(images[:4]):
        left = 180 + 62 * place
        paper[200:256, left : left + 56] -= 0.6 * cv2.resize(digit, (56, 56), interpolation=cv2.INTER_LINEAR)
    file = wheel.parent / "photo.png"
    assert cv2.imwrite(str(file), paper.clip(0, 255).astype(np.uint8))
    return file


def test_it_holds_model_digits_and_licence_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "edge/inference/models/lecture.tflite",
        "edge/inference/models/lecture.json",
        "edge/sources/demo_digits.npz",
        "edge/sources/demo_digits.txt",
        "train/forms.txt",
        "train/marks.txt",
    ):
        assert needed in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/LICENSES-DATA.md") for name in names)
    rooms = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert rooms == {"edge", "train", "convert"}


def test_nothing_of_the_workstation_comes_with_it(lone_bin: Path) -> None:
    listed = json.loads(run(lone_bin / "pip", "list", "--format", "json", cwd=lone_bin).stdout)
    names = {package["name"].lower() for package in listed}
    assert "inkedge" in names
    workstation = ("tensorflow", "keras", "matplotlib", "optuna", "torch")
    assert not [name for name in names if name.startswith(workstation)]


def test_it_reads_a_photo(lone_bin: Path, photo: Path) -> None:
    done = run(lone_bin / "edge", "read", "--format", "jsonl", photo, cwd=photo.parent)
    page = json.loads(done.stdout)
    assert [reading["text"] for reading in page["readings"]] == ["7210"]


def test_the_doctor_finds_nothing_broken(lone_bin: Path, tmp_path: Path) -> None:
    done = run(lone_bin / "edge", "doctor", cwd=tmp_path)
    assert "fail" not in {line.split()[0] for line in done.stdout.splitlines()}


def test_its_commands_say_their_version(lone_bin: Path, tmp_path: Path) -> None:
    assert run(lone_bin / "edge", "--version", cwd=tmp_path).stdout.startswith("inkedge ")


@pytest.mark.parametrize(("command", "verb"), [("edge-train", "explore"), ("edge-convert", "models")])
def test_the_commands_of_the_workstation_explain_themselves_without_it(
    lone_bin: Path, tmp_path: Path, command: str, verb: str
) -> None:
    assert verb in run(lone_bin / command, "--help", cwd=tmp_path).stdout


def test_what_ships_is_listed_without_the_workstation(lone_bin: Path, tmp_path: Path) -> None:
    models = json.loads(run(lone_bin / "edge-convert", "models", "--json", cwd=tmp_path).stdout)
    assert [model["name"] for model in models if model["default"]] == ["paper"]
    assert Path(models[0]["file"]).is_file()


def test_training_without_the_extra_says_what_to_install(lone_bin: Path, tmp_path: Path) -> None:
    data = tmp_path / "digits.npz"
    images, labels = load_digits()
    np.savez(data, x_train=images[:2000], y_train=labels[:2000], x_test=images[2000:], y_test=labels[2000:])
    done = subprocess.run(
        [lone_bin / "edge-train", "fit", "--data", data, "--out", tmp_path / "run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "pip install 'inkedge[train]'" in done.stderr
