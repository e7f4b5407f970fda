"""What a run has freed goes back to the system."""

from __future__ import annotations

import numpy as np
import pytest

from edge.live import memory
from edge.live.loop import Step
from edge.live.memory import GiveBack, keep_little
from edge.values import Frame
from tests.faults.memory import resident_mb

FRAME = Frame(pixels=np.zeros((4, 4), np.uint8), index=0, time=0.0, source="fake")
STEP = Step(frame=FRAME, readings=(), events=(), shown=())


@pytest.mark.skipif(memory._of_libc("malloc_trim") is None, reason="this C library is not glibc")
def test_holes_between_what_stays_are_given_back() -> None:
    freed, kept = [], []
    for _ in range(600):
        freed.append(b"x" * 100_000)
        kept.append(b"x" * 2_000)
    before = resident_mb()
    freed.clear()
    GiveBack().see(STEP)
    assert before - resident_mb() > 30
    assert len(kept) == 600


def test_it_is_done_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    now = [100.0]
    monkeypatch.setattr(memory, "_of_libc", lambda _: given.append)
    monkeypatch.setattr(memory.time, "monotonic", lambda: now[0])
    back = GiveBack()
    for _ in range(30):
        back.see(STEP)
        now[0] += 0.1
    assert given == [0, 0, 0]


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_of_libc", lambda _: None)
    keep_little()
    GiveBack().see(STEP)
