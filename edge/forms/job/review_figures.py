"""What the review of a job took and found: time a value, errors in a hundred, pages that need nobody any more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.counted import counted
from edge.forms.job.job_page import Copies
from edge.forms.job.ledger import Ledger
from edge.forms.job.review_queue import Left, ReviewQueue

# Times are told to a tenth of a second.
_SHORTEST_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFigures:
    """Counts of what people said and what it changed.

    doubted, sure: values judged that were held for review, and that were not; of these, those that turned out to be
    others. names: how many people. timed: entries of which it is known how long they took, and the middle of these, in
    s. pages, through_before, through_after: all pages, and those that need nobody, as read and as they are now.
    keyed_twice: values that two names judged, disagreed: of these, those of which they said different things at first.
    """

    left: Left
    names: int
    unreadable: int
    doubted: int
    doubted_wrong: int
    sure: int
    sure_wrong: int
    timed: int
    median_s: float | None
    pages: int
    through_before: int
    through_after: int
    keyed_twice: int
    disagreed: int

    @property
    def judged(self) -> int:
        """All values judged."""
        return self.doubted + self.sure

    @property
    def people(self) -> str:
        """How many people judged."""
        return counted(self.names, "person", "people")

    @property
    def time(self) -> str:
        """How long a value took, the middle one; "" where that is not known."""
        if self.median_s is None:
            return ""
        # A sheet of digits that are all right takes one key: far less than a tenth of a second each.
        return "less than 0.1 s" if self.median_s < _SHORTEST_S else f"{self.median_s:.1f} s"

    def __str__(self) -> str:
        left = f"{counted(self.left.waiting, 'value')} left to look at"
        if self.left.error is not None:
            left += f" until at most {100 * self.left.error:g} % are expected to be wrong"
        if not self.judged:
            return left
        time = f" in {self.time} each" if self.time else ""
        wrong = 100 * (self.doubted_wrong + self.sure_wrong) / self.judged
        parts = [f"{self.judged} judged by {self.people}{time}, {wrong:.1f} of a hundred were wrong"]
        if self.unreadable:
            parts.append(f"{self.unreadable} unreadable")
        if self.keyed_twice:
            parts.append(f"{self.disagreed} of {self.keyed_twice} keyed twice in disagreement")
        return "; ".join([*parts, left])


def review_figures(ledger: Ledger, max_error: float | None = None) -> ReviewFigures:
    """The figures of a job's review; max_error: the share of errors for what is left, else the one that was chosen."""
    queue = ReviewQueue(ledger)
    chosen = queue.choice("max_error")
    error = max_error if max_error is not None else float(chosen) if chosen else None
    rows = ledger.rows(
        """SELECT entry.was_sure, entry.kind, count(*) FROM correction JOIN entry ON entry.id = correction.entry
           WHERE correction.kind <> 'odd' AND instr(correction.field, '#') = 0 GROUP BY entry.was_sure, entry.kind"""
    )
    counts = {(bool(sure), str(kind)): int(count) for sure, kind, count in rows}
    # One press of a key may judge a whole sheet; its time is shared out evenly among the values.
    times = [took for (took,) in ledger.rows("SELECT took_s FROM entry WHERE took_s IS NOT NULL AND NOT undone")]
    before = after = pages = 0
    for page in map(Copies().mark, ledger.all_pages()):
        if page.duplicate_of is None and not page.forgotten:
            pages += 1
            after += page.status == "read"
            before += page.status_as_read == "read"
    twice, disagreed = _keyed_twice(ledger)
    (names,) = ledger.row("SELECT count(DISTINCT lower(name)) FROM entry WHERE NOT undone") or (0,)
    return ReviewFigures(
        left=queue.left(error),
        names=int(names),
        unreadable=sum(count for (_, kind), count in counts.items() if kind == "unreadable"),
        doubted=sum(count for (sure, _), count in counts.items() if not sure),
        doubted_wrong=counts.get((False, "corrected"), 0),
        sure=sum(count for (sure, _), count in counts.items() if sure),
        sure_wrong=counts.get((True, "corrected"), 0),
        timed=len(times),
        median_s=float(np.median(times)) if times else None,
        pages=pages,
        through_before=before,
        through_after=after,
        keyed_twice=twice,
        disagreed=disagreed,
    )


def _keyed_twice(ledger: Ledger) -> tuple[int, int]:
    """How many values two names or more judged, and of how many the first entries of these names differ."""
    found = ledger.row(
        """SELECT count(*), coalesce(sum(different > 1), 0) FROM
           (SELECT count(DISTINCT lower(name)) names, count(DISTINCT (kind = 'unreadable') || value) different
            FROM entry WHERE kind <> 'odd' AND NOT undone AND instr(field, '#') = 0 AND id IN
            (SELECT min(id) FROM entry WHERE kind <> 'odd' AND NOT undone GROUP BY page, field, lower(name))
            GROUP BY page, field) WHERE names > 1"""
    )
    return (0, 0) if found is None else (int(found[0]), int(found[1]))
