"""Ctrl-C and SIGTERM while training: heard at moments when everything written is whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn


@contextmanager
def termination_is_an_exception() -> Iterator[Callable[[], None]]:
    """In the block SIGTERM raises SystemExit(0), as Ctrl-C raises KeyboardInterrupt.

    Gives what to call now and then: it raises again what was lost. Python prints an exception that meets it in a
    destructor or a callback of the garbage collector, and goes on.
    """
    heard: list[int] = []

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        heard.append(number)
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(0)

    def again() -> None:
        if heard:
            signal.raise_signal(heard.pop())

    with _handled({signal.SIGINT: leave, signal.SIGTERM: leave}):
        yield again


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Ctrl-C and SIGTERM are heard only after the block.

    Handlers are swapped, not masked: a mask holds for one thread, and TensorFlow has many for a signal to reach.
    """
    heard: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        heard.append(number)

    with _handled({signal.SIGINT: remember, signal.SIGTERM: remember}):
        yield
    if heard:
        signal.raise_signal(heard[0])


@contextmanager
def _handled(handlers: dict[signal.Signals, Callable[[int, FrameType | None], Any]]) -> Iterator[None]:
    # Only the main thread may set handlers; in others there are no interrupts to wait for.
    mine = handlers if threading.current_thread() is threading.main_thread() else {}
    before = {number: signal.signal(number, handler) for number, handler in mine.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
