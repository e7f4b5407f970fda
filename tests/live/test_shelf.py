"""The folder of snapshots stays small, whole and its own, whatever the disk does."""

from __future__ import annotations

import errno
import logging
from collections import namedtuple
from pathlib import Path

import pytest

from edge.errors import SinkError
from edge.live import shelf as shelf_module
from edge.live.shelf import Shelf

Usage = namedtuple("Usage", "total used free")


def name(number: int, run: str = "01a") -> str:
    return f"{run}-e{number:08d}"


def files(size: int = 100) -> dict[str, bytes]:
    return {".png": b"p" * size, "-0.png": b"d", ".json": b"{}"}


def open_shelf(folder: Path, *, keep: int = 10, keep_bytes: int = 1 << 20, reserve_bytes: int = 0) -> Shelf:
    return Shelf(folder, keep=keep, keep_bytes=keep_bytes, reserve_bytes=reserve_bytes)


def names(folder: Path) -> list[str]:
    return sorted(place.name for place in folder.iterdir())


def test_the_oldest_goes_when_there_are_too_many(tmp_path: Path) -> None:
    shelf = open_shelf(tmp_path / "deep" / "shots", keep=3)
    for number in range(8):
        assert shelf.put(name(number), files())
    assert len(shelf) == 3 and shelf.stored == 8
    kept = [name(number) for number in (5, 6, 7)]
    assert names(tmp_path / "deep" / "shots") == sorted(one + end for one in kept for end in files())


def test_the_oldest_goes_when_they_take_too_much(tmp_path: Path) -> None:
    shelf = open_shelf(tmp_path, keep_bytes=40_000)
    for number in range(12):
        assert shelf.put(name(number), files(5000))
        assert sum(place.stat().st_size for place in tmp_path.iterdir()) <= shelf.size_bytes <= 40_000
    assert names(tmp_path)[-1] == name(11) + ".png"
    assert not shelf.put(name(12), files(50_000)) and name(12) + ".png" not in names(tmp_path)


def test_a_run_takes_over_what_another_left_and_clears_what_it_left_half(tmp_path: Path) -> None:
    first = open_shelf(tmp_path)
    for number in range(4):
        first.put(name(number), files())
    (tmp_path / f"{name(9)}.png").write_bytes(b"killed before its record was written")
    (tmp_path / f"{name(9)}.json.part").write_bytes(b"{")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "holiday.png").write_bytes(b"mine too")
    second = open_shelf(tmp_path, keep=2)
    assert len(second) == 2
    own = sorted(name(number) + end for number in (2, 3) for end in files())
    assert names(tmp_path) == sorted([*own, "holiday.png", "notes.txt"])
    second.put(name(0, run="01b"), files())
    assert name(2) + ".png" not in names(tmp_path), "the older run's go first"


def test_a_disk_with_little_free_is_left_alone_said_once_and_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    free = 10 << 20
    monkeypatch.setattr(shelf_module.shutil, "disk_usage", lambda _: Usage(1 << 30, 0, free))
    shelf = open_shelf(tmp_path, reserve_bytes=20 << 20)
    with caplog.at_level(logging.WARNING):
        assert not any(shelf.put(name(number), files()) for number in range(5))
        assert names(tmp_path) == [] and shelf.refused == 5
        free = 100 << 20
        assert shelf.put(name(6), files())
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2 and "only 10 MB of the disk are free" in said[0] and "5 were not" in said[1]


@pytest.mark.parametrize("good_writes", [0, 1, 2])
def test_a_disk_that_fills_up_in_the_middle_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good_writes: int, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = open_shelf(tmp_path)
    shelf.put(name(0), files())
    before, left, write = names(tmp_path), [good_writes], Path.write_bytes

    def failing(place: Path, content: bytes) -> int:
        left[0] -= 1
        if left[0] < 0:
            write(place, content[:1])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(place, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", failing)
        assert not shelf.put(name(1), files())
    assert names(tmp_path) == before and "No space left" in caplog.text
    assert shelf.put(name(2), files()) and len(shelf) == 2


def test_a_folder_that_cannot_be_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be written"):
        open_shelf(tmp_path / "file")
