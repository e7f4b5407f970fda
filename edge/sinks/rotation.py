"""Old files of a file that grows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """A file that would grow beyond most_bytes becomes FILE.1, FILE.1 becomes FILE.2, ...; keep: how many of these."""

    most_bytes: int = 50_000_000
    keep: int = 5

    def older(self, path: Path) -> list[Path]:
        """What a file becomes, newest first; not all need be there."""
        return [path.with_name(f"{path.name}.{number}") for number in range(1, self.keep + 1)]

    def move(self, path: Path) -> None:
        """Make room under the file's name; raises OSError.

        Only files up to the first missing number move: a crash in mid-way left it, and no more files are lost by it.
        """
        old = self.older(path)
        if not old:
            path.unlink()
            return
        gap = next((index for index, file in enumerate(old) if not file.exists()), len(old) - 1)
        for index in range(gap, 0, -1):
            old[index - 1].replace(old[index])
        path.replace(old[0])
