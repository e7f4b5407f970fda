"""What a person sees while a network trains: a moving line on a terminal, a line per epoch otherwise."""

from __future__ import annotations

import sys
import time
from typing import Any

from edge.cli.door import is_quiet
from train.model import open_keras
from train.run import Epoch

# Often enough to look alive, rare enough to cost nothing.
REFRESH_S = 0.2


def say(text: str) -> None:
    """Talk on stderr, unless --quiet."""
    if not is_quiet():
        print(text, file=sys.stderr, flush=True)  # noqa: T201


def say_epoch(done: Epoch, epochs: int, *, best: bool) -> None:
    """One line for a finished epoch."""
    held = "" if done.val_loss != done.val_loss else f" · held back {done.val_accuracy:.2%}, loss {done.val_loss:.4f}"
    mark = " · best so far" if best else ""
    start = "\r\x1b[K" if sys.stderr.isatty() else ""
    took = f"{done.seconds:.0f} s" if done.seconds >= 10 else f"{done.seconds:.1f} s"
    say(f"{start}epoch {done.epoch}/{epochs}: {took} · accuracy {done.accuracy:.2%}, loss {done.loss:.4f}{held}{mark}")


def live_callbacks(epoch: int, epochs: int, steps: int) -> list[Any]:
    """Keras callbacks that move a progress line; none off a terminal, so that a batch costs nothing extra there."""
    if is_quiet() or not sys.stderr.isatty():
        return []

    class LiveLine(open_keras().callbacks.Callback):  # type: ignore[misc]
        """Rewrites one line on stderr."""

        def __init__(self) -> None:
            super().__init__()
            self.started = self.shown = time.monotonic()

        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            now = time.monotonic()
            if now - self.shown < REFRESH_S:
                return
            self.shown = now
            done = (batch + 1) / steps
            left = (now - self.started) * (1 - done) / done
            bar = "━" * round(30 * done) + "·" * (30 - round(30 * done))
            values = " ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
            line = f"\r\x1b[Kepoch {epoch}/{epochs} {bar} {done:4.0%} · {left:3.0f} s left · {values}"
            print(line, end="", file=sys.stderr, flush=True)  # noqa: T201

    return [LiveLine()]
