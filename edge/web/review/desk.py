"""The desk at which people review a job: what each is shown next, and what becomes of what they say."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.forms.job.entries import Entered, Said, enter, undo
from edge.forms.job.ledger import Ledger
from edge.forms.job.review_queue import Left, Open, Order, ReviewQueue, Seen

MOST_VALUES = 60
MOST_ALIKE = 120
# A value that was shown to somebody is theirs for so long; then others get it too.
_THEIRS_S = 120.0
# Counting what is left at an error rate goes through all values of the job.
_COUNTED_S = 5.0
_CHOSEN_S = 60.0
_MAX_ERROR = "max_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How much is done and left, how many digits of each text are open, what two names disagree on."""

    left: Left
    disputed: int
    alike: Mapping[str, int]


class Desk:
    """One job under review, by as many people as come; for one thread.

    twice: each value is shown to two names, blind, and counts when both say the same.
    """

    def __init__(self, job: Path, *, twice: bool = False, max_error: float | None = None) -> None:
        """Open the job. Raises JobError if it is absent or broken."""
        self._ledger = Ledger(job)
        self._queue = ReviewQueue(self._ledger)
        self.twice = twice
        self._needed = 2 if twice else 1
        self._theirs: dict[tuple[str, str], tuple[str, float]] = {}
        self._progress: dict[str, tuple[float, int, Progress]] = {}
        self._chosen: tuple[float, float, float | None] | None = None
        if max_error is not None:
            self.choose_error(max_error)
        self.progress("")  # counted before anybody waits for the first page

    def close(self) -> None:
        """Close the job."""
        self._ledger.close()

    @property
    def max_error(self) -> float | None:
        """The share of errors that was chosen for this job, None for what the run held for review."""
        chosen = self._queue.choice(_MAX_ERROR)
        return float(chosen) if chosen else None

    def choose_error(self, error: float | None) -> None:
        """Choose it, for everybody."""
        self._queue.choose(_MAX_ERROR, "" if error is None else repr(error))
        self._progress.clear()

    def progress(self, name: str) -> Progress:
        """How far the review is, as that name sees it; a few seconds old at most while a run adds to the job."""
        asked = name if self.twice else ""
        known, version = self._progress.get(asked), self._ledger.version()
        if known is None or (known[1] != version and time.monotonic() - known[0] > _COUNTED_S):
            if len(self._progress) > MOST_VALUES:
                self._progress.clear()
            progress = Progress(
                left=self._queue.left(self.max_error, unsaid_by=name if self.twice else None),
                disputed=len(self._queue.disputed()) if self.twice else 0,
                alike=self._queue.counts(),
            )
            known = self._progress[asked] = time.monotonic(), version, progress
        return known[2]

    def next_values(self, name: str, order: Order, *, after: str, most: int) -> tuple[tuple[Open, Seen], ...]:
        """What that name should look at next, behind a place in the order; others are looking at other values."""
        now = time.monotonic()

        def passed_over(page: str, field: str) -> bool:
            whose, since = self._theirs.get((page, field), ("", 0.0))
            return whose not in ("", name) and now - since < _THEIRS_S

        def look() -> tuple[Open, ...]:
            return self._queue.waiting(
                order,
                min(most, MOST_VALUES),
                after=after,
                below=self._below(),
                unsaid_by=name if self.twice else None,
                passed_over=(lambda page, field: False) if self.twice else passed_over,
            )

        found = look()
        if not found and self._chosen is not None:
            self._chosen = None  # what people found meanwhile may ask for more
            found = look()
        if len(self._theirs) > 100 * MOST_VALUES:
            self._theirs = {key: held for key, held in self._theirs.items() if now - held[1] < _THEIRS_S}
        self._theirs.update(((one.page, one.field), (name, now)) for one in found)
        return tuple((one, seen) for one in found if (seen := self.value(one.page, one.field)) is not None)

    def _below(self) -> float | None:
        """The confidence below which values are looked at, for the chosen share of errors; it moves slowly."""
        error = self.max_error
        if error is None:
            return None
        if self._chosen is None or self._chosen[0] != error or time.monotonic() - self._chosen[1] > _CHOSEN_S:
            self._chosen = error, time.monotonic(), self._queue.left(error).below
        return self._chosen[2]

    def disputed(self) -> tuple[Seen, ...]:
        """Values on which two names do not agree."""
        found = (self.value(page, field) for page, field in self._queue.disputed(MOST_VALUES))
        return tuple(seen for seen in found if seen is not None)

    def alike(self, name: str, text: str, most: int) -> tuple[Open, ...]:
        """Open digits that were read as this text, the least sure first."""
        return self._queue.alike(text, min(most, MOST_ALIKE), unsaid_by=name if self.twice else None)

    def value(self, page: str, field: str) -> Seen | None:
        """One value; None if the job has no such."""
        return self._queue.seen(page, field)

    def tile(self, leaf: int, position: int) -> tuple[bytes, int] | None:
        """The picture of a leaf's tiles, and which of them is that value's; None if it has none."""
        found = self._ledger.row(
            "SELECT jpeg, (SELECT count(*) FROM value WHERE leaf = tile.leaf AND position < ? AND length(text) <= 1) "
            "FROM tile WHERE leaf = ?",
            position,
            leaf,
        )
        return None if found is None else (bytes(found[0]), int(found[1]))

    def enter(self, name: str, said: Sequence[Said], token: str) -> Entered:
        """Note what that name said with one press of a key; it is on disk when this returns."""
        with self._ledger.change(forever=True) as db:
            entered = enter(db, said, name=name, token=token, needed=self._needed)
        self._progress.clear()
        return entered

    def undo(self, name: str, token: str | None) -> tuple[Seen, ...]:
        """Take back what that name said last, or under a token, and show its values again."""
        with self._ledger.change(forever=True) as db:
            back = undo(db, name, token=token, needed=self._needed)
        self._progress.clear()
        return tuple(seen for page, field in back if (seen := self.value(page, field)) is not None)
