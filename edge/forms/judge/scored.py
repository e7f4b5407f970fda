"""What a job read against what its pages are known to say: right or wrong, value by value, and how sure it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from edge.errors import SourceError
from edge.forms.job.job_page import Copies, JobPage
from edge.forms.job.ledger import Ledger
from edge.forms.truth import Known, Truth
from edge.forms.values import FieldReading
from edge.inference.certainty import Certainty
from edge.inference.interval import wilson


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """One field of a page that is known: what was read of it, None where its page was not laid over its form."""

    page: JobPage
    name: str
    known: Known
    reading: FieldReading | None

    @property
    def field(self) -> str:
        """The field's name, that of its grid for a cell of one."""
        return self.name.partition("[")[0]

    @property
    def right(self) -> bool:
        """Whether the value is what stands there; of ink that is no value that is "", and nobody may be told one."""
        return self.reading is not None and self.reading.value == self.known.value

    @property
    def put_out(self) -> bool:
        """Whether the table has the value without a person's look: `read`, or `empty`."""
        return self.reading is not None and self.reading.status != "review"

    @property
    def counts(self) -> bool:
        """Whether a value stands there or was seen: blank cells that were left blank say nothing of the reading."""
        return bool(self.known.value) or (self.reading is not None and bool(self.reading.value))

    @property
    def confidence(self) -> float:
        """That of the reading, 0 where there is none."""
        return 0.0 if self.reading is None else self.reading.confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of n, as a share with its 95 % interval (Wilson)."""

    hits: int
    n: int

    def __str__(self) -> str:
        if not self.n:
            return "–"
        low, high = wilson(self.hits, self.n)
        return f"{self.hits / self.n:.2%} ({low:.2%}–{high:.2%})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Values of one field or kind: how many are right, how many put out, and how many of those wrong.

    Ink that is no value is left out of what is right, for the best guess at it is none.
    """

    name: str
    right: Share
    put_out: Share
    wrong: Share

    @staticmethod
    def of(name: str, items: Iterable[Scored]) -> Score:
        """That of some values."""
        known = tuple(items)
        values = [one for one in known if one.known.kind != "other"]
        out = [one for one in known if one.put_out]
        return Score(
            name=name,
            right=Share(hits=sum(one.right for one in values), n=len(values)),
            put_out=Share(hits=len(out), n=len(known)),
            wrong=Share(hits=sum(not one.right for one in out), n=len(out)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StraightThrough:
    """At an error among values put out, from which confidence, how many values are, and pages that need nobody."""

    error: float
    confidence: float | None
    values: Share
    pages: Share


def score_job(ledger: Ledger, truth: Truth) -> tuple[Scored, ...]:
    """Every known field of the job's pages but the ambiguous ones; of second copies only the first is scored.

    Raises SourceError if no page of the job is known.
    """
    scored = tuple(_known_fields(map(Copies().mark, ledger.all_pages()), truth))
    if not scored:
        known = sorted({file for file, _ in truth.pages})
        raise SourceError(f"job {ledger.job}: none of its pages is in the truth file; that knows {known[0]}, for one")
    return scored


def _known_fields(pages: Iterable[JobPage], truth: Truth) -> Iterator[Scored]:
    for page in pages:
        if page.duplicate_of is not None or page.forgotten:
            continue
        readings: Mapping[str, FieldReading] = {one.name: one for one in page.page.fields}
        for name, known in truth.of(page.page.source, page.page.page_number).items():
            if known.kind != "ambiguous":
                yield Scored(page=page, name=name, known=known, reading=readings.get(name))


def certainty_of(scored: Iterable[Scored]) -> Certainty | None:
    """Confidence and right or wrong of the values that count; None if none does.

    What is for review although values as sure as it were put out was refused for another reason than its confidence,
    and stays refused whatever threshold is asked for; so does what has no confidence at all, for it breaks a rule.
    """
    items = [one for one in scored if one.counts]
    if not items:
        return None
    surest = min((one.confidence for one in items if one.put_out), default=1.1)
    return Certainty(
        name="values",
        confidence=np.array([one.confidence for one in items]),
        right=np.array([one.right for one in items]),
        refused=np.array([_refused(one, surest) for one in items]),
    )


def straight_through(scored: tuple[Scored, ...], certainty: Certainty, error: float) -> StraightThrough:
    """What goes through at this error: a page does if all its fields do and it lies where it should."""
    found = certainty.read_at(error)
    pages = {one.page.place: one.page for one in scored}
    count = len(certainty.right)
    if found.share <= 0:
        nothing = Share(hits=0, n=len(pages))
        return StraightThrough(error=error, confidence=None, values=Share(hits=0, n=count), pages=nothing)
    surest = min((one.confidence for one in scored if one.counts and one.put_out), default=1.1)
    through = sum(_goes_through(page, found.confidence, surest) for page in pages.values())
    return StraightThrough(
        error=error,
        confidence=found.confidence,
        values=Share(hits=round(found.share * count), n=count),
        pages=Share(hits=through, n=len(pages)),
    )


def _goes_through(page: JobPage, threshold: float, surest: float) -> bool:
    if page.page.error is not None or page.page.registration is None or page.page.registration.status != "ok":
        return False
    return all(
        one.status == "empty"
        or (one.confidence >= threshold and not (one.status == "review" and one.confidence >= surest))
        for one in page.page.fields
    )


def _refused(one: Scored, surest: float) -> bool:
    return one.confidence <= 0 or (not one.put_out and one.confidence >= surest)


def wrong_and_sure(scored: Iterable[Scored], most: int) -> tuple[Scored, ...]:
    """The wrong values that were put out, the surest first."""
    wrong = [one for one in scored if one.put_out and not one.right]
    return tuple(sorted(wrong, key=lambda one: -one.confidence)[:most])
