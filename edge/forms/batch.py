"""A batch of scans read into a job: each page once, whatever dies on the way, and put out in the order of the input."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge.errors import JobError
from edge.forms.generation import Generation
from edge.forms.intake import Intake
from edge.forms.job_page import Copies, JobPage
from edge.forms.ledger import Ledger, Run
from edge.forms.tables import FormsSink, LineFormat
from edge.forms.template import Template
from edge.forms.work import OpenReader
from edge.forms.workers import Workers
from edge.reading.progress import Progress
from edge.sources.files import expand_paths

log = logging.getLogger(__name__)

PAGE_S = 60.0
# How often a signal is looked for.
_TICK_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """How a batch is read: processes (None: one a core), models, the confidence from which a value is sure.

    page_s: how long a page may take. open_reader stands in for FormReader.
    """

    workers: int | None = None
    model: str | Path | None = None
    strip_model: str | Path | None = None
    threshold: float | None = None
    page_s: float = PAGE_S
    open_reader: OpenReader | None = None

    def reader_of(self, templates: Sequence[Template]) -> OpenReader:
        """What a worker opens its reader with."""
        if self.open_reader is not None:
            return self.open_reader
        from edge.forms.reader import FormReader  # only its name is needed here, its models in the workers

        return partial(
            FormReader.open,
            tuple(templates),
            model=self.model,
            strip_model=self.strip_model,
            threshold=self.threshold,
        )

    @property
    def processes(self) -> int:
        """How many processes read."""
        return self.workers or len(os.sched_getaffinity(0))


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
        self.pages += 1
        self.errors += page.status == "error"
        self.review += page.status == "review"
        self.duplicates += page.duplicate_of is not None
        self.forgotten += page.forgotten


def read_job(
    scans: Iterable[str | Path],
    templates: Sequence[Template],
    job: Path,
    settings: JobSettings,
    *,
    output_format: LineFormat = "jsonl",
    output: Path | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Read every page of scans that the job has not read yet; put out all of them in order, on stdout without output.

    stopped is asked now and then; True ends the run at once, and the next one goes on from there.
    Raises JobError if the job folder is locked or broken, ModelError for a model, SinkError if there is no room.
    """
    generation = Generation.of(
        templates, model=settings.model, strip_model=settings.strip_model, threshold=settings.threshold
    )
    found = expand_paths(scans)
    if found.skipped:
        log.warning("%d files in folders are neither images, TIFF nor PDF and were passed over", found.skipped)
    with (
        Ledger(job, create=True) as ledger,
        FormsSink(output_format, output, generation.columns) as sink,
        Workers(settings.reader_of(templates), settings.processes, page_s=settings.page_s) as pool,
    ):
        run = ledger.begin(generation, [str(file) for file in found.files])
        _tell_generation(job, run)
        progress = Progress(len(found.files))
        intake = Intake(ledger, run, found.files, settings.processes)
        try:
            outcome = _Batch(ledger, intake, pool, sink).go(stopped, progress)
        finally:
            progress.end()
        if outcome.stopped:
            sink.abandon()
        else:
            ledger.end(run)
    _tell_outcome(job, outcome, output_format)
    return outcome


def _tell_generation(job: Path, run: Run) -> None:
    if run.before is not None and run.before.sha256 != run.generation.sha256:
        changed = ", ".join(run.generation.differences(run.before))
        log.warning("job %s: changed since the last run: %s; this is a new generation of results", job, changed)


def _tell_outcome(job: Path, outcome: Outcome, output_format: LineFormat) -> None:
    if outcome.stopped:
        log.warning("job %s: stopped; the same command goes on from here", job)
    left_out = " and left out of the table" if output_format == "csv" else ""
    if outcome.duplicates:
        log.warning("%d pages are second copies%s", outcome.duplicates, left_out)
    if outcome.forgotten:
        log.warning("%d pages were read and forgotten%s", outcome.forgotten, left_out)
    if outcome.errors or outcome.review:
        log.warning(
            "of %d pages %d could not be read and %d are for review", outcome.pages, outcome.errors, outcome.review
        )


class _Batch:
    """One run: workers are fed, what they say is noted in the ledger, and what has its turn is put out from there."""

    def __init__(self, ledger: Ledger, intake: Intake, pool: Workers, sink: FormsSink) -> None:
        self._ledger = ledger
        self._intake = intake
        self._pool = pool
        self._sink = sink
        self._number = 1
        self._copies = Copies()
        self.outcome = Outcome()

    def go(self, stopped: Callable[[], bool], progress: Progress) -> Outcome:
        """Read and put out everything, or as much as there is until it is stopped."""
        intake, pool = self._intake, self._pool
        while not stopped():
            task = intake.next_task() if pool.wanting else None
            if task is not None:
                pool.give(task)
            self._put_out()
            if intake.exhausted and not pool.busy:
                return self.outcome
            for message in pool.wait(0.0 if pool.wanting and not intake.exhausted else _TICK_S):
                intake.note(message)
            self.outcome.read = intake.pages_read
            progress.say(intake.files_done, intake.pages_read, known=intake.files_known)
        self.outcome.stopped = True
        return self.outcome

    def _put_out(self) -> None:
        """Everything up to the first page that is still missing."""
        waiting = self._intake.given
        while waiting:
            given = waiting[0]
            if given.error is not None:
                self._put(self._ledger.error_page(given, given.error))
            else:
                while self._intake.has(given, self._number):
                    page = self._ledger.page(given, self._number)
                    if page is None:
                        raise JobError(
                            f"job {self._ledger.job}: page {self._number} of {given.source} has gone; run again"
                        )
                    self._put(page)
                    self._number += 1
                if self._intake.has(given, self._number) is not None:
                    return
            waiting.popleft()
            self._number = 1

    def _put(self, page: JobPage) -> None:
        page = self._copies.mark(page)
        self._sink.write(page)
        self.outcome.add(page)
