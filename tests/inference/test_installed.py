"""Models installed in the place of those that ship: tried before, switched at once, whole after any fault."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import ModelError, SinkError
from edge.inference.classifier import Classifier
from edge.inference.installed import KEPT, Store, installed_model, models_folder
from edge.inference.manifest import load_model
from edge.inference.shipped import find_model
from edge.inference.strip import StripReader

LECTURE, PAPER = find_model("lecture"), find_model("paper")


def anything(model: Path) -> None:
    """A check that finds nothing wrong with what is whole."""
    load_model(model)


def refusing(model: Path) -> None:
    raise ModelError("no")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("INKEDGE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(os, "fsync", lambda opened: None)  # no power is cut here, and slow disks take long
    return Store.here()


def name_of(model: Path | None) -> str:
    return "shipped" if model is None else load_model(model)[0].name


def test_what_ships_is_used_until_another_is_installed(store: Store) -> None:
    assert installed_model("digit") is None and find_model() == PAPER
    store.install(LECTURE, "digit", anything)
    assert Classifier.open().manifest.name == "lecture"
    assert find_model("paper") == PAPER
    assert StripReader.open().manifest.name == "strip"
    store.install(find_model("strip"), "strip", anything)
    assert find_model(task="strip").is_relative_to(store.folder)
    assert Classifier.open().manifest.name == "lecture"


def test_back_is_step_by_step_to_what_ships(store: Store) -> None:
    store.install(LECTURE, "digit", anything)
    store.install(PAPER, "digit", anything)
    assert name_of(store.rollback("digit", anything)) == "lecture"
    assert store.rollback("digit", anything) is None and installed_model("digit") is None
    with pytest.raises(ModelError, match="no digit model is installed"):
        store.rollback("digit", anything)


def test_so_many_are_kept_and_the_rest_taken_away(store: Store) -> None:
    for _ in range(KEPT + 3):
        store.install(LECTURE, "digit", anything)
    folders = sorted(path.name for path in store.folder.iterdir() if path.is_dir())
    assert len(folders) == KEPT == len(store.history("digit"))
    assert store.used("digit") == store.folder / folders[-1] / "model.tflite"
    assert all(store.rollback("digit", anything) is not None for _ in range(KEPT - 1))
    assert store.rollback("digit", anything) is None


def test_a_model_that_is_refused_changes_nothing(store: Store) -> None:
    store.install(LECTURE, "digit", anything)
    with pytest.raises(ModelError):
        store.install(PAPER, "digit", refusing)
    assert name_of(store.used("digit")) == "lecture"


def test_back_passes_over_a_version_that_is_damaged(store: Store) -> None:
    store.install(LECTURE, "digit", anything)
    store.install(PAPER, "digit", anything).write_bytes(b"damaged")
    store.install(PAPER, "digit", anything)
    assert name_of(store.rollback("digit", anything)) == "lecture"


@pytest.mark.parametrize("content", ["", "strip-0001", "../../etc", "digit-9", "\N{SNOWMAN}"])
def test_a_garbled_switch_is_told_and_mended(store: Store, content: str) -> None:
    store.install(LECTURE, "digit", anything)
    store.install(LECTURE, "digit", anything)
    (store.folder / "digit.used").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match="edge models rollback"):
        find_model()
    store.install(PAPER, "digit", anything)
    assert name_of(installed_model("digit")) == "paper"
    (store.folder / "digit.used").write_text(content, encoding="utf-8")
    assert store.rollback("digit", anything) is None and find_model() == PAPER


def test_a_version_that_is_gone_is_told(store: Store) -> None:
    shutil.rmtree(store.install(LECTURE, "digit", anything).parent)
    with pytest.raises(ModelError, match="the installed digit model is gone"):
        Classifier.open()


def test_a_folder_that_cannot_be_written_and_one_that_is_a_link(store: Store, tmp_path: Path) -> None:
    store.folder.write_text("a file")
    with pytest.raises(SinkError, match="models cannot be changed there"):
        store.install(LECTURE, "digit", anything)
    store.folder.unlink()
    (tmp_path / "elsewhere").mkdir()
    store.folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="is a link"):
        store.install(LECTURE, "digit", anything)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_link_in_the_folder_is_not_written_through(store: Store, tmp_path: Path) -> None:
    store.install(LECTURE, "digit", anything)
    (tmp_path / "victim").write_text("mine")
    (store.folder / "digit.used.part").symlink_to(tmp_path / "victim")
    with pytest.raises(SinkError, match="models cannot be changed there"):
        store.install(PAPER, "digit", anything)
    assert (tmp_path / "victim").read_text() == "mine"
    assert name_of(installed_model("digit")) == "lecture"


def test_files_are_readable_to_the_service_whatever_the_umask(store: Store) -> None:
    before = os.umask(0o077)
    try:
        model = store.install(LECTURE, "digit", anything)
    finally:
        os.umask(before)
    for path in (model, model.with_suffix(".json"), store.folder / "digit.used"):
        assert path.stat().st_mode & 0o777 == 0o644
    assert model.parent.stat().st_mode & 0o777 == store.folder.stat().st_mode & 0o777 == 0o755


class Faulty:
    """Each of these calls is counted; the nth of them fails, before it does anything."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self.at, self.calls = at, 0
        for place, name in ((os, "fsync"), (Path, "rename"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir")):
            monkeypatch.setattr(place, name, self._counting(getattr(place, name)))
        monkeypatch.setattr(shutil, "rmtree", self._counting(shutil.rmtree))

    def _counting(self, call: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object, **named: object) -> object:
            self.calls += 1
            if self.calls == self.at:
                raise OSError(5, "Input/output error")
            return call(*arguments, **named)

        return counted


def changes(store: Store) -> dict[str, Callable[[], object]]:
    return {
        "install": lambda: store.install(PAPER, "digit", anything),
        "rollback": lambda: store.rollback("digit", anything),
    }


@pytest.mark.parametrize(("change", "after"), [("install", "paper"), ("rollback", "lecture")])
def test_a_fault_at_any_step_leaves_one_or_the_other_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch, change: str, after: str
) -> None:
    ends = set()
    for at in range(1, 40):
        shutil.rmtree(store.folder, ignore_errors=True)
        for _ in range(KEPT + 1):  # something to take away, too
            store.install(LECTURE, "digit", anything)
        with monkeypatch.context() as patched:
            faulty = Faulty(patched, at)
            try:
                changes(store)[change]()
                failed = False
            except SinkError:
                failed = True
        ends.add((failed, name_of(installed_model("digit"))))
        assert name_of(changes(store)["install"]()) == "paper"  # type: ignore[arg-type]
        if not failed:
            assert faulty.calls < at and at > 3
            break
    else:
        raise AssertionError("a fault that is never reached")
    assert {name for _, name in ends} <= {"lecture", after}


SWITCHING = """
import os, sys
from pathlib import Path
from edge.inference.installed import Store
from edge.inference.manifest import load_model
os.fsync = lambda opened: None
store, models = Store.here(), [Path(name) for name in sys.argv[1:]]
print("ready", flush=True)
while True:
    for model in models:
        store.install(model, "digit", lambda file: load_model(file) and None)
    store.rollback("digit", lambda file: load_model(file) and None)
"""


def test_killed_at_any_moment_the_model_in_use_is_whole(store: Store) -> None:
    rng = random.Random(7)
    seen = set()
    for _ in range(8):
        command = [sys.executable, "-c", SWITCHING, str(LECTURE), str(PAPER)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None and process.stdout.readline() == "ready\n"
                end = time.monotonic() + rng.uniform(0.0, 0.1)
                while time.monotonic() < end:
                    seen.add(installed_model("digit") is None)  # also while it is being switched
            finally:
                process.kill()
        seen.add(name_of(installed_model("digit")))
        assert not list(store.folder.glob("digit-*/*.part"))
    assert {"lecture", "paper"} & seen
    store.install(LECTURE, "digit", anything)
    assert name_of(installed_model("digit")) == "lecture"
    assert sum(path.is_dir() for path in store.folder.iterdir()) <= KEPT


@pytest.mark.parametrize(
    ("user", "environment", "expected"),
    [
        (0, {"HOME": "/root"}, "/var/lib/inkedge/models"),
        (0, {"HOME": "/root", "XDG_DATA_HOME": "/data"}, "/var/lib/inkedge/models"),
        (990, {"HOME": "/", "STATE_DIRECTORY": "/var/lib/inkedge"}, "/var/lib/inkedge/models"),
        (990, {"HOME": "/var/lib/inkedge"}, "/var/lib/inkedge/models"),
        (1000, {"HOME": "/home/a"}, "/home/a/.local/share/inkedge/models"),
        (1000, {"HOME": "/home/a", "XDG_DATA_HOME": "/data"}, "/data/inkedge/models"),
        (1000, {"HOME": "/home/a", "XDG_DATA_HOME": "data"}, "/home/a/.local/share/inkedge/models"),
        # A service of one's own reads with what its owner installed.
        (
            1000,
            {"HOME": "/home/a", "STATE_DIRECTORY": "/home/a/.config/inkedge"},
            "/home/a/.local/share/inkedge/models",
        ),
        (1000, {"HOME": "/home/a", "INKEDGE_MODELS": "/models"}, "/models"),
    ],
)
def test_the_place_goes_by_who_asks(
    monkeypatch: pytest.MonkeyPatch, user: int, environment: dict[str, str], expected: str
) -> None:
    for name in ("INKEDGE_MODELS", "STATE_DIRECTORY", "XDG_DATA_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert models_folder() == Path(expected)
