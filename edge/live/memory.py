"""How much memory the C library keeps of what a run has freed."""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8  # of glibc's malloc.h
_ARENAS = 2


def share_arenas() -> None:
    """Have all threads of this process allocate from two of malloc's arenas in place of eight for each core.

    Each arena keeps tens of megabytes of the pictures that its threads freed; with sixteen of them a run of a day held
    half a gigabyte, which a small board has not got. Threads that begin later are meant; those that allocated before
    keep theirs. Where the C library is not glibc nothing is done.
    """
    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)
    except (OSError, AttributeError):
        return
