"""A folder that holds the newest sets of files, bounded by their number and bytes, and never fills its disk."""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from edge.errors import SinkError
from edge.sinks.whole import part_of

# Files take whole blocks of the disk.
_BLOCK = 4096
RESERVE_MB = 100  # free space of the disk that is left alone
_NAME = re.compile(r"(?P<id>[0-9a-z]+-e\d+)(-\d+)?\.(png|json)(\.part)?")

_log = logging.getLogger(__name__)


class Shelf:
    """Sets of files `ID.json`, `ID.png`, `ID-0.png` ... in a folder; a set is there once its .json is.

    Other files in the folder are neither counted nor touched. The oldest set, the first by name, goes first. While the
    disk has less free than its reserve, or cannot be written, nothing is stored: that is said once, and so is that it
    goes on.
    """

    def __init__(self, folder: Path, *, keep: int, keep_bytes: int, reserve_bytes: int = RESERVE_MB << 20) -> None:
        """Take over what an earlier run left. Raises SinkError if there can be no such folder."""
        self.stored = 0
        self.refused = 0
        self._folder = folder
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._reserve_bytes = reserve_bytes
        self._full = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._sets = self._take_over()
        except OSError as error:
            raise SinkError(f"{folder}: cannot be written: {error.strerror or error}; choose another folder") from error
        self._make_room(0, 0)

    def __len__(self) -> int:
        return len(self._sets)

    @property
    def size_bytes(self) -> int:
        """What the sets take of the disk."""
        return sum(self._sets.values())

    def put(self, name: str, files: dict[str, bytes]) -> bool:
        """Store a set: content by suffix, `.json` among them (`-0.png` is NAME-0.png); False if there is no room.

        All of it is there or none.
        """
        size = sum(map(_on_disk, map(len, files.values())))
        try:
            free = shutil.disk_usage(self._folder).free
            if free - size < self._reserve_bytes:
                return self._refuse(f"only {free >> 20} MB of the disk are free")
            if size > self._keep_bytes:
                return self._refuse(f"{size >> 20} MB are more than all that may be kept")
            self._make_room(1, size)
            # The .json comes last: a set without one is not there.
            for suffix in sorted(files, key=".json".__eq__):
                place = self._folder / (name + suffix)
                part_of(place).write_bytes(files[suffix])
                part_of(place).replace(place)
        except OSError as error:
            self._remove(name)
            return self._refuse(error.strerror or str(error))
        self._sets[name] = size
        self.stored += 1
        if self._full:
            _log.warning("snapshots %s: stored again; %d were not", self._folder, self.refused)
            self._full, self.refused = False, 0
        return True

    def _refuse(self, why: str) -> bool:
        self.refused += 1
        if not self._full:
            _log.warning("snapshots %s: not stored: %s; make room, the run goes on", self._folder, why)
        self._full = True
        return False

    def _make_room(self, sets: int, size: int) -> None:
        while self._sets and (len(self._sets) + sets > self._keep or self.size_bytes + size > self._keep_bytes):
            oldest = min(self._sets)
            self._remove(oldest)
            del self._sets[oldest]

    def _take_over(self) -> dict[str, int]:
        """The sets in the folder and what they take; what a killed run left half is removed."""
        sizes: dict[str, int] = {}
        whole: set[str] = set()
        for name, place in self._own_files():
            if place.suffix == ".json":
                whole.add(name)
            if place.suffix != ".part":
                sizes[name] = sizes.get(name, 0) + _on_disk(place.stat().st_size)
        for name, place in self._own_files():
            if place.suffix == ".part" or name not in whole:
                place.unlink(missing_ok=True)
        return {name: sizes[name] for name in whole}

    def _own_files(self) -> Iterator[tuple[str, Path]]:
        for place in sorted(self._folder.iterdir()):
            named = _NAME.fullmatch(place.name)
            if named and place.is_file() and not place.is_symlink():
                yield named["id"], place

    def _remove(self, name: str) -> None:
        """Remove a set, its .json first; what cannot be removed is left for the next run to find."""
        with contextlib.suppress(OSError):
            (self._folder / f"{name}.json").unlink(missing_ok=True)
            for place in (*self._folder.glob(f"{name}.*"), *self._folder.glob(f"{name}-*")):
                place.unlink(missing_ok=True)


def _on_disk(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
