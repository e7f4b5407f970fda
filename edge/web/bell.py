"""A bell that any thread rings and coroutines hear."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Bell:
    """Wakes the coroutines of one event loop; ringing returns at once and costs next to nothing while none listens."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ears: set[asyncio.Event] = set()

    def __len__(self) -> int:
        """How many listen."""
        return len(self._ears)

    def ring(self) -> None:
        """Wake all who listen; from any thread."""
        if self._ears and self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended meanwhile, and with it all who listened
                self._loop.call_soon_threadsafe(self._wake)

    @contextmanager
    def heard(self) -> Iterator[asyncio.Event]:
        """Listen: the event is set whenever the bell rings; the listener clears it. In the event loop's thread only."""
        self._loop = asyncio.get_running_loop()
        ear = asyncio.Event()
        self._ears.add(ear)
        try:
            yield ear
        finally:
            self._ears.discard(ear)

    def _wake(self) -> None:
        for ear in self._ears:
            ear.set()


async def rung(ear: asyncio.Event, within_s: float) -> bool:
    """True as soon as the bell rings, False if it does not within this time; ready to be rung again."""
    try:
        async with asyncio.timeout(within_s):
            await ear.wait()
    except TimeoutError:
        return False
    ear.clear()
    return True
