"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at: what was found, and unless it is ok, what to do.

    exit_code is what `edge doctor` ends with if this is the first check that failed; 0 unless level is `fail`.
    """

    name: str
    level: Level
    found: str
    remedy: str = ""
    exit_code: int = 0

    def __post_init__(self) -> None:
        if (self.level == "fail") != bool(self.exit_code) or (self.level == "ok") == bool(self.remedy):
            raise ValueError(f"check {self.name}: a failure has an exit code, and all that is not ok a remedy")


def good(name: str, found: str) -> Check:
    """A check that found nothing wrong."""
    return Check(name=name, level="ok", found=found)


def doubtful(name: str, found: str, remedy: str) -> Check:
    """A check that found what may go wrong."""
    return Check(name=name, level="warn", found=found, remedy=remedy)


def failed(name: str, found: str, remedy: str, code: int) -> Check:
    """A check that found what does not work; code is the exit code of the command that would meet it."""
    return Check(name=name, level="fail", found=found, remedy=remedy, exit_code=code)
