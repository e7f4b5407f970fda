"""How far a job is, for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.counted import counted
from edge.forms.job.job_folder import is_locked
from edge.forms.job.job_page import Copies, JobPage
from edge.forms.job.ledger import Ledger
from edge.forms.job.review_figures import ReviewFigures, review_figures
from edge.forms.job.tables import status_of


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """Pages of a job by what came of them, files no run has got through yet, and why pages are not simply read.

    fields: values by status. reviewed: what people made of them. running: a process is at work in it now. reasons:
    messages and how many pages or fields have them, the most frequent first.
    """

    job: str
    running: bool
    files: int
    unread_files: int
    pages: int
    read: int
    review: int
    errors: int
    duplicates: int
    forgotten: int
    generations: int
    fields: dict[str, int]
    reviewed: ReviewFigures
    reasons: tuple[tuple[str, int], ...] = ()

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self))

    def lines(self) -> list[str]:
        """What a person wants to know, a line each."""
        lines = [
            f"{self.job}: {counted(self.pages, 'page')} of {counted(self.files - self.unread_files, 'file')}",
            f"  {self.read} read, {self.review} for review, {counted(self.errors, 'error')}, "
            f"{counted(self.duplicates, 'second copy', 'second copies')}, {self.forgotten} forgotten",
            "  values: " + (", ".join(f"{count} {status}" for status, count in self.fields.items()) or "none"),
        ]
        lines += [f"  {count:6} × {reason}" for reason, count in self.reasons[:_SHOWN]]
        if others := sum(count for _, count in self.reasons[_SHOWN:]):
            lines.append(f"  {others:6} × for other reasons")
        if self.reviewed.judged or self.reviewed.left.waiting:
            lines.append(f"  review: {self.reviewed}")
        if self.generations > 1:
            lines.append(f"  {self.generations} generations of results; the last run's templates and models count")
        if self.running:
            lines.append("  a run is at work in it now")
        if self.unread_files:
            lines.append(
                f"  {counted(self.unread_files, 'file is', 'files are')} not read yet"
                + ("" if self.running else _GO_ON)
            )
        return lines


_SHOWN = 8
_GO_ON = "; the same `edge forms read` goes on from there"


def job_status(job: Path, max_error: float | None = None) -> JobStatus:
    """The status of a job, also while a run is at work in it; max_error: as review_figures takes it.

    Raises JobError if the job is absent or broken.
    """
    with Ledger(job) as ledger, ledger.still():
        copies = Copies()
        pages: Counter[str] = Counter()
        values: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        for page in map(copies.mark, ledger.all_pages()):
            pages[_kind(page)] += 1
            values.update(status_of(one, page) for one in page.page.fields)
            reasons.update(_reasons(page))
        return JobStatus(
            job=str(job),
            running=is_locked(job),
            files=sum(1 for _ in ledger.inputs()),
            unread_files=ledger.unread(),
            pages=pages.total(),
            read=pages["read"],
            review=pages["review"],
            errors=pages["error"],
            duplicates=pages["duplicate"],
            forgotten=pages["forgotten"],
            generations=ledger.generations(),
            fields=dict(values.most_common()),
            reviewed=review_figures(ledger, max_error),
            reasons=tuple(reasons.most_common()),
        )


def _kind(page: JobPage) -> str:
    return "duplicate" if page.duplicate_of is not None else "forgotten" if page.forgotten else page.status


def _reasons(page: JobPage) -> list[str]:
    """Why a person must look at a page or its fields, the main cause of each."""
    found = [one.reason for one in page.page.fields if one.reason and one.name not in page.judged]
    if page.page.registration is not None and page.page.registration.reason and page.duplicate_of is None:
        found.append(page.page.registration.reason)
    # What stands behind is a remedy, or differs from field to field.
    found = found if page.page.error is None else [page.page.error]
    return [reason.partition(";")[0].partition(", may be ")[0] for reason in found]
