"""How much memory is kept of what a run has freed."""

from __future__ import annotations

import ctypes
import time
from typing import Any

from edge.live.loop import Step

# Of glibc's malloc.h: the option, and what it is set to.
_ARENA_MAX = (-8, 1)
_MMAP_THRESHOLD = (-3, 4 << 20)
_TRIM_THRESHOLD = (-1, 16 << 20)
_NO_HUGE_PAGES = 41  # PR_SET_THP_DISABLE of Linux's prctl.h
_EVERY_S = 1.0


def keep_little() -> None:
    """Keep less of what was freed: for months on a small board that counts more than a tenth of a ms.

    All threads allocate from one arena in place of eight for each core, each of which would keep tens of megabytes of
    the pictures that its threads freed. What is larger than most pictures goes back to the system at once: left to
    itself glibc raises that limit to the largest block that was ever freed, and the arena comes to hold such blocks
    with holes between them. Threads that allocated before keep their arenas. numpy asks for huge pages where an array
    is large; where such arrays were, each small block then takes 2 MB. Where there is no such call nothing is done.
    It is for the whole process and for good, so for the program alone, before it starts threads.
    """
    mallopt, prctl = _of_libc("mallopt"), _of_libc("prctl")
    if mallopt is not None:
        for option, value in (_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD):
            mallopt(option, value)
    if prctl is not None:
        prctl(_NO_HUGE_PAGES, 1, 0, 0, 0)


class GiveBack:
    """A Watcher that gives the holes in malloc's arena back to the system every second.

    Frames and what is made of them come and go in several threads, and a small block that stays keeps all that was
    freed below it: two thirds came to be holes. malloc_trim(3) takes 1 ms. Without glibc nothing is done.
    """

    def __init__(self) -> None:
        self._trim = _of_libc("malloc_trim")
        self._next = 0.0

    def see(self, step: Step) -> None:
        """See Watcher."""
        now = time.monotonic()
        if self._trim is not None and now >= self._next:
            self._next = now + _EVERY_S
            self._trim(0)

    def close(self) -> None:
        """See Watcher."""


def _of_libc(name: str) -> Any | None:
    """A function of the C library; None in one that lacks it."""
    try:
        return getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
