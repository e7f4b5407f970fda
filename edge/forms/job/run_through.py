"""One run over files: workers are fed, what they say is noted, and pages are put out from the ledger in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import JobError
from edge.forms.job.intake import Intake
from edge.forms.job.job_page import Copies, JobPage, PageStatus, place_of
from edge.forms.job.ledger import Input, Ledger, Run
from edge.forms.job.workers import Workers
from edge.reading.progress import Progress

# How often a signal is looked for.
_TICK_S = 0.2


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a run put out: pages in all, and of these errors, those for review, second copies and forgotten ones.

    read: pages read now, the others came from the ledger; stopped: it did not come to its end.
    """

    pages: int = 0
    errors: int = 0
    review: int = 0
    duplicates: int = 0
    forgotten: int = 0
    read: int = 0
    stopped: bool = False

    @property
    def exit_code(self) -> int:
        """3 if a page could not be opened, else 10 if one is for review, else 0."""
        return 0 if self.stopped else 3 if self.errors else 10 if self.review else 0

    def add(self, page: JobPage) -> None:
        """Count a page."""
        self.count(page.status)
        self.duplicates += page.duplicate_of is not None
        self.forgotten += page.forgotten

    def count(self, status: PageStatus) -> None:
        """Count a page of that status."""
        self.pages += 1
        self.errors += status == "error"
        self.review += status == "review"


def run_through(
    ledger: Ledger,
    run: Run,
    files: Sequence[Path],
    pool: Workers,
    *,
    write: Callable[[JobPage], None],
    put: Callable[[str], None] | None = None,
    stopped: Callable[[], bool],
) -> Outcome:
    """Have every page of the files read that the ledger does not know, and write all of them, copies marked.

    put takes what stands in the output for a page where its worker has made that already; None: workers do not.
    Raises what Workers.wait raises, and JobError or SinkError where the ledger cannot be kept.
    """
    batch = _Batch(ledger, Intake(ledger, run, files, pool.count), pool, write, put)
    progress = Progress(len(files))
    try:
        return batch.go(stopped, progress)
    finally:
        progress.end()


class _Batch:
    """A run under way."""

    def __init__(
        self,
        ledger: Ledger,
        intake: Intake,
        pool: Workers,
        write: Callable[[JobPage], None],
        put: Callable[[str], None] | None,
    ) -> None:
        self._ledger = ledger
        self._intake = intake
        self._pool = pool
        self._write = write
        self._put_text = put
        self._number = 1
        self._copies = Copies()
        self._outcome = Outcome()

    def go(self, stopped: Callable[[], bool], progress: Progress) -> Outcome:
        """Read and put out everything, or as much as there is until it is stopped."""
        intake, pool, outcome = self._intake, self._pool, self._outcome
        while not stopped():
            task = intake.next_task() if pool.wanting else None
            if task is not None:
                pool.give(task)
            self._put_out()
            if intake.exhausted and not pool.busy:
                return outcome
            for message in pool.wait(0.0 if pool.wanting and not intake.exhausted else _TICK_S):
                intake.note(message)
            outcome.read = intake.pages_read
            progress.say(intake.files_done, intake.pages_read, known=intake.files_known)
        outcome.stopped = True
        return outcome

    def _put_out(self) -> None:
        """Everything up to the first page that is still missing."""
        waiting = self._intake.given
        while waiting:
            given = waiting[0]
            if given.error is not None:
                self._put(self._ledger.error_page(given, given.error))
            else:
                while self._intake.has(given, self._number):
                    if not self._put_shown(given):
                        self._put(self._known(given))
                    self._number += 1
                if self._intake.has(given, self._number) is not None:
                    return
            waiting.popleft()
            self._number = 1

    def _put_shown(self, given: Input) -> bool:
        """Put out the page that is next as its worker has written it, if it has and nothing else is known of it."""
        taken = self._intake.take_shown(given, self._number)
        if taken is None or self._put_text is None:
            return False
        sha256, shown = taken
        if self._ledger.judged(sha256) or not self._copies.is_first(sha256, place_of(given.source, self._number)):
            return False
        self._put_text(shown.text)
        self._outcome.count(shown.status)
        return True

    def _known(self, given: Input) -> JobPage:
        """The page that is next, out of the ledger."""
        page = self._ledger.page(given, self._number)
        if page is None:
            raise JobError(f"job {self._ledger.job}: page {self._number} of {given.source} has gone; run again")
        return page

    def _put(self, page: JobPage) -> None:
        page = self._copies.mark(page)
        self._write(page)
        self._outcome.add(page)
