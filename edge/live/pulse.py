"""Whether the pictures of a camera are those of a living one: not frozen, half decoded, late or black."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from edge.values import Image

FaultKind: TypeAlias = Literal["lost", "frozen", "broken", "late", "black", "resized"]

# Parts of the timeout: a fault is noticed within it, whatever the loop is doing just then.
_NOTICE = 0.8
# A picture is frozen if it stays the same to the byte for so many times longer than it ever did before it changed
# by itself: a slide show and a still scene sent by a video encoder do so for seconds, a sensor's noise never does.
_LONGER = 3.0
# A JPEG's blocks are 8 or 16 rows high; what lies below a break in it is one flat colour, or the last picture's.
_ROWS = 16
_NO_DATA = ((128, 128, 128), (0, 135, 0), (0, 136, 0), (0, 77, 0))  # BGR: a JPEG's middle grey; YUV's zeros
_CHANGES = 30  # so often the last rows must have changed before, for their staying to mean anything
# Dark enough that no digit shows: 99.5 % of the pixels at most so bright. Video's black is 16, a sensor's noise more.
_BLACK, _BRIGHT_PART = 32, 0.005
_STEP = 8  # px between those looked at
# A covered lens mends itself; a camera that lost its light is opened again now and then.
_REOPEN_BLACK_S = 60.0
_MOST_BLACK_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What to do with a frame: read it or drop it, and why it is a fault that has lasted (None: it has not).

    reopen: the camera is to be opened again. text: what to say once, empty for nothing.
    """

    good: bool
    fault: FaultKind | None = None
    text: str = ""
    reopen: bool = False


_GOOD = Beat(good=True)


class Pulse:
    """Looks at each frame of a source as it comes; not thread-safe.

    sensor: as of the Source. What lasts for most of timeout_s is a fault. A picture of a sensor that is the same to
    the byte for so long is frozen; of another source if it has changed before, and at least three times quicker: what
    never changed may be a still. Black pictures are given on, for a covered lens is no broken camera, and the camera is
    opened again after 1, 2, 4, 8 ... minutes of them.
    """

    def __init__(self, *, sensor: bool, timeout_s: float) -> None:
        self._limit_s = _NOTICE * timeout_s
        self._most_age_s = timeout_s / 2
        self._before: Image | None = None
        self._same_since: float | None = None
        self._longest_s: float | None = 0.0 if sensor else None
        self._frozen = self._still_said = False
        self._bad_since: float | None = None
        self._tail_changes = 0
        self._black_since: float | None = None
        self._black_said = False
        self._reopen_black_s = _REOPEN_BLACK_S
        self._sizes: set[tuple[int, int]] = set()

    def reopened(self) -> None:
        """The camera is opened again; what went wrong gets its full time once more."""
        self._same_since = self._bad_since = None

    def feel(self, pixels: Image, age_s: float, now: float) -> Beat:
        """The verdict on a frame that was taken age_s before the monotonic time `now`."""
        before, self._before = self._before, pixels
        if before is not None and _same(before, pixels):
            return self._feel_still(pixels, now)
        self._note_change(now)
        if age_s > self._most_age_s:
            return self._drop("late", f"its pictures come {age_s:.1f} s late; let it send fewer or smaller ones", now)
        if self._is_half(before, pixels):
            return self._drop("broken", "its pictures are only half decoded; is the cable or the network bad?", now)
        self._bad_since = None
        return self._feel_size(pixels) or self._feel_black(pixels, now)

    def _note_change(self, now: float) -> None:
        """Learn how long a picture may stay the same: the longest time after which it changed by itself."""
        if self._same_since is not None and not self._frozen:
            self._longest_s = max(self._longest_s or 0.0, now - self._same_since)
        self._same_since = now
        self._frozen = False

    def _feel_still(self, pixels: Image, now: float) -> Beat:
        if _is_black(pixels):
            return self._feel_black(pixels, now)
        self._same_since = now if self._same_since is None else self._same_since
        lasted = now - self._same_since
        if lasted > self._limit_s and self._longest_s is None and not self._still_said:
            self._still_said = True
            text = "its picture has not changed since it was opened; it is a still, or frozen"
            return Beat(good=True, fault="frozen", text=text)
        if self._longest_s is not None and lasted > max(self._limit_s, _LONGER * self._longest_s):
            self._frozen = True
            return Beat(
                good=False, fault="frozen", text=f"the same picture to the byte for {lasted:.0f} s", reopen=True
            )
        return Beat(good=not self._frozen)

    def _drop(self, kind: FaultKind, text: str, now: float) -> Beat:
        self._bad_since = now if self._bad_since is None else self._bad_since
        lasted = now - self._bad_since
        return Beat(good=False, fault=kind, text=text if lasted > self._limit_s else "", reopen=lasted > self._limit_s)

    def _is_half(self, before: Image | None, pixels: Image) -> bool:
        """Whether the lower part was not decoded: flat, or still the last picture's below one that is new all over."""
        if len(pixels) <= _ROWS:
            return False
        tail = pixels[-_ROWS:]
        if (tail[-1] == tail[-1, 0]).all() and (tail == tail[-1, 0]).all():
            color = tuple(np.atleast_1d(tail[-1, 0]).tolist())
            if color * (3 // len(color)) in _NO_DATA and not (pixels == tail[-1, 0]).all():
                return True
        if before is None or before.shape != pixels.shape:
            return False
        if not np.array_equal(before[-_ROWS:], tail):
            self._tail_changes += 1
            return False
        return self._tail_changes >= _CHANGES and _is_torn(before, pixels)

    def _feel_size(self, pixels: Image) -> Beat | None:
        height, width = pixels.shape[:2]
        known, self._sizes = self._sizes, self._sizes | {(width, height)}
        if not known or (width, height) in known:
            return None
        return Beat(good=True, fault="resized", text=f"its pictures are {width}x{height} now")

    def _feel_black(self, pixels: Image, now: float) -> Beat:
        if not _is_black(pixels):
            said, self._black_said, self._black_since = self._black_said, False, None
            self._reopen_black_s = _REOPEN_BLACK_S
            return Beat(good=True, text="its pictures are no longer black") if said else _GOOD
        self._black_since = now if self._black_since is None else self._black_since
        lasted = now - self._black_since
        if lasted > self._reopen_black_s:
            self._reopen_black_s = min(2 * self._reopen_black_s, lasted + _MOST_BLACK_S)
            return Beat(good=True, reopen=True)
        if lasted > self._limit_s and not self._black_said:
            self._black_said = True
            text = f"its pictures have been black for {lasted:.0f} s; is the lens covered, or the room dark?"
            return Beat(good=True, fault="black", text=text)
        return _GOOD


def _is_torn(before: Image, pixels: Image) -> bool:
    """Whether two pictures differ nearly everywhere down to some row and nowhere below, as noise and a break do.

    A still scene from a video encoder is equal in some places and differs in others.
    """
    changed = (before != pixels).reshape(len(pixels), -1).mean(axis=1)
    above = int(np.flatnonzero(changed)[-1])  # the last row in which they differ; the caller knows that there is one
    # The break lies somewhere in its block's row, so the rows of that block differ in part.
    whole = changed[: max(1, above - _ROWS)]
    return bool(whole.mean() > 0.5 and whole.min() > 0.2)


def _is_black(pixels: Image) -> bool:
    sample = pixels[::_STEP, ::_STEP]
    return bool(np.count_nonzero(sample > _BLACK) <= _BRIGHT_PART * sample.size)


def _same(one: Image, two: Image) -> bool:
    """Whether two pictures are equal to the byte; a few rows tell almost always."""
    return one.shape == two.shape and np.array_equal(one[::_ROWS], two[::_ROWS]) and np.array_equal(one, two)
