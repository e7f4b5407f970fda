"""A batch of scans read into a job: each page once, whatever dies on the way, and put out in the order of the input."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath

from edge.counted import counted
from edge.errors import UsageError
from edge.forms.job.generation import Generation
from edge.forms.job.kept_forms import keep_forms
from edge.forms.job.ledger import Ledger, Run
from edge.forms.job.run_through import Outcome, run_through
from edge.forms.job.shown import Showing
from edge.forms.job.tables import FormsSink, LineFormat
from edge.forms.job.work import OpenReader
from edge.forms.job.workers import Workers
from edge.forms.template import Template
from edge.forms.threshold import choose_threshold
from edge.forms.truth import read_truth
from edge.forms.values import FormPage
from edge.reading.progress import say_skipped
from edge.sources.files import expand_paths

log = logging.getLogger(__name__)

PAGE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """How a batch is read: processes (None: one a core), models, the confidence from which a value is sure.

    max_error, with truth: the threshold is chosen so that no more of the values that are sure are wrong. page_s: how
    long a page may take. open_reader stands in for FormReader.
    """

    workers: int | None = None
    model: str | Path | None = None
    strip_model: str | Path | None = None
    threshold: float | None = None
    max_error: float | None = None
    truth: Path | None = None
    page_s: float = PAGE_S
    open_reader: OpenReader | None = None

    def __post_init__(self) -> None:
        if (self.max_error is None) != (self.truth is None):
            raise UsageError("--max-error and --truth go together: the share of errors, and the pages that are known")
        if self.max_error is not None and self.threshold is not None:
            raise UsageError("--threshold and --max-error both set the threshold; give one of them")

    def generation(self, templates: Sequence[Template]) -> Generation:
        """What readings depend on. Raises ModelError if a model cannot be used."""
        return Generation.of(templates, model=self.model, strip_model=self.strip_model, threshold=self.threshold)

    def pool(self, templates: Sequence[Template], showing: Showing | None = None) -> Workers:
        """Processes that read these forms; showing: how their pages are put out, if they are."""
        if self.open_reader is not None:
            opener = self.open_reader
        else:
            from edge.forms.reader import FormReader  # only its name is needed here, its models in the workers

            opener = partial(
                FormReader.open,
                tuple(templates),
                model=self.model,
                strip_model=self.strip_model,
                threshold=self.threshold,
            )
        count = self.workers or len(os.sched_getaffinity(0))
        return Workers(opener, count, page_s=self.page_s, showing=showing)


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
    Raises JobError if the job folder is locked or broken, ModelError for a model, SinkError if there is no room,
    GateError if no threshold keeps max_error.
    """
    settings.generation(templates)  # a model that cannot be used is known before anything is made
    found = expand_paths(scans)
    say_skipped(found.skipped)
    with Ledger(job, create=True) as ledger:
        if settings.truth is not None:
            settings = _with_threshold(ledger, settings, found.files, templates, stopped)
        generation = settings.generation(templates)
        showing = Showing(output_format=output_format, generation=generation)
        with FormsSink(output_format, output, generation.columns) as sink, settings.pool(templates, showing) as pool:
            keep_forms(ledger, templates)
            run = ledger.begin(generation, [str(file) for file in found.files])
            _tell_generation(job, run)
            outcome = run_through(ledger, run, found.files, pool, write=sink.write, put=sink.put, stopped=stopped)
            if outcome.stopped:
                sink.abandon()
            else:
                ledger.end(run)
    _tell_outcome(job, outcome, output_format)
    return outcome


def _with_threshold(
    ledger: Ledger,
    settings: JobSettings,
    files: Sequence[Path],
    templates: Sequence[Template],
    stopped: Callable[[], bool],
) -> JobSettings:
    """The settings with the threshold that the known pages among the files ask for; they are read for that first."""
    if settings.truth is None or settings.max_error is None:
        return settings
    truth = read_truth(settings.truth)
    some = [file for file in files if any(PurePath(name).name == file.name for name, _ in truth.pages)]
    every = replace(settings, threshold=0.0, max_error=None, truth=None)
    pages: list[FormPage] = []
    with every.pool(templates) as pool:
        run = ledger.begin_aside(every.generation(templates))
        outcome = run_through(ledger, run, some, pool, write=lambda page: pages.append(page.page), stopped=stopped)
    if outcome.stopped:  # and the run that would follow will be
        return every
    chosen = choose_threshold(pages, truth, settings.max_error)
    log.warning("%s", chosen)
    return replace(every, threshold=chosen.threshold)


def _tell_generation(job: Path, run: Run) -> None:
    if run.before is not None and run.before.sha256 != run.generation.sha256:
        changed = ", ".join(run.generation.differences(run.before))
        log.warning("job %s: changed since the last run: %s; this is a new generation of results", job, changed)


def _tell_outcome(job: Path, outcome: Outcome, output_format: LineFormat) -> None:
    if outcome.stopped:
        log.warning("job %s: stopped; the same command goes on from here", job)
    left_out = " and left out of the table" if output_format == "csv" else ""
    if outcome.duplicates:
        log.warning("%s%s", counted(outcome.duplicates, "page is a second copy", "pages are second copies"), left_out)
    if outcome.forgotten:
        log.warning("%s read and forgotten%s", counted(outcome.forgotten, "page was", "pages were"), left_out)
    if outcome.errors or outcome.review:
        log.warning(
            "%s: %d could not be read, %d for review", counted(outcome.pages, "page"), outcome.errors, outcome.review
        )
