"""How much memory the C library keeps of what a run has freed."""

from __future__ import annotations

import ctypes

# Of glibc's malloc.h: the option, and what it is set to.
_ARENA_MAX = (-8, 2)
_MMAP_THRESHOLD = (-3, 4 << 20)
_TRIM_THRESHOLD = (-1, 16 << 20)


def keep_little() -> None:
    """Have malloc keep less of what was freed: for months on a small board that counts more than a tenth of a ms.

    All threads allocate from two arenas in place of eight for each core, each of which would keep tens of megabytes of
    the pictures that its threads freed. What is larger than most pictures goes back to the system at once: left to
    itself glibc raises that limit to the largest block that was ever freed, and the arenas come to hold such blocks
    with holes between them. Threads that allocated before keep their arenas. Without glibc nothing is done.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for option, value in (_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD):
        mallopt(option, value)
