"""From the files of a run to tasks for workers, and from their answers to the ledger: which pages are missing."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.errors import SourceError
from edge.forms.job.ledger import Input, Ledger, Run
from edge.forms.job.shown import Shown
from edge.forms.job.work import Counted, PageDone, Stamp, Task
from edge.sources.files import hash_file

# Texts of so many pages wait for one before them that takes long; those of others come out of the ledger again.
_MOST_SHOWN = 1000
# Of a long file a worker takes so many pages at most: opening a PDF again costs less than waiting for its last pages.
_MOST_PAGES = 8


@dataclass(slots=True, kw_only=True)
class _File:
    """What this run knows of a file: how many pages it has, once known, and which are to be read."""

    path: Path
    stamp: Stamp | None
    pages: int | None = None
    missing: set[int] = field(default_factory=set)


class Intake:
    """The files of a run, looked at one after the other as workers come free.

    given: the inputs looked at so far, in order; files_done, of these, need no worker any more; files_known never did;
    pages_read were read by this run.
    """

    def __init__(self, ledger: Ledger, run: Run, files: Sequence[Path], workers: int) -> None:
        self._ledger = ledger
        self._run = run
        self._paths = deque(enumerate(files))
        self._workers = workers
        self._files: dict[str, _File] = {}
        self._tasks: deque[Task] = deque()
        self._shown: dict[tuple[str, int], tuple[str, Shown]] = {}
        self.given: deque[Input] = deque()
        self.files_done = self.files_known = self.pages_read = 0

    @property
    def exhausted(self) -> bool:
        """True when there is nothing left to give to a worker, as far as is known now."""
        return not self._paths and not self._tasks

    def next_task(self) -> Task | None:
        """The next task; looks at one more file at most, and gives None if that needs no worker."""
        if self._tasks:
            return self._tasks.popleft()
        if not self._paths:
            return None
        position, path = self._paths.popleft()
        stamp = Stamp.of(path)
        given = Input(generation_id=self._run.generation_id, source=str(path))
        try:
            given = replace(given, file=hash_file(path))
        except SourceError as error:
            given = replace(given, error=str(error))
        self.given.append(given)
        self._ledger.note_file(self._run, position, file=given.file, error=given.error)
        task = None if given.file is None else self._begin(given.file, _File(path=path, stamp=stamp))
        if task is None:
            self.files_known += 1
            self.files_done += 1
        return task

    def has(self, given: Input, number: int) -> bool | None:
        """Whether the ledger has a page of an input that was looked at; None for a page beyond the last."""
        file = self._files[given.file or ""]
        if file.pages is None:
            return False
        return None if number > file.pages else number not in file.missing

    def take_shown(self, given: Input, number: int) -> tuple[str, Shown] | None:
        """The hash of a page of an input, and how it is put out; None where only the ledger knows."""
        return self._shown.pop((given.file or "", number), None)

    def note(self, message: Counted | PageDone) -> None:
        """Keep what a worker said."""
        file = self._files[message.file]
        if isinstance(message, Counted):
            self._ledger.set_count(self._run, message.file, message.pages)
            (asked,) = file.missing
            file.pages = message.pages
            missing = self._missing(message.file, message.pages)
            file.missing = missing | ({asked} if asked <= message.pages else set())
            self._queue(message.file, sorted(file.missing - {asked}))
        elif message.page.number in file.missing:
            new = self._ledger.record(self._run, message.file, message.page, message.crops, message.tiles)
            if new and message.shown is not None and len(self._shown) < _MOST_SHOWN:
                self._shown[message.file, message.page.number] = message.page.sha256, message.shown
            file.missing.discard(message.page.number)
            self.pages_read += 1
            self.files_done += not file.missing

    def _begin(self, sha256: str, file: _File) -> Task | None:
        """The first task of a file: one page, and counting them; None if there is nothing to do."""
        if sha256 in self._files:
            return None
        self._files[sha256] = file
        file.pages = self._ledger.count(self._run, sha256)
        file.missing = {1} if file.pages is None else self._missing(sha256, file.pages)
        if not file.missing:
            return None
        # What ended in an error is tried again, and may be another number of pages then.
        first = min(file.missing)
        file.pages, file.missing = None, {first}
        return self._task(sha256, (first,), count=True)

    def _missing(self, sha256: str, pages: int) -> set[int]:
        return set(range(1, pages + 1)) - self._ledger.done(self._run, sha256)

    def _queue(self, sha256: str, numbers: Sequence[int]) -> None:
        """Cut the pages of a long file so that all workers have their part of it."""
        size = max(1, min(_MOST_PAGES, -(-len(numbers) // (2 * self._workers))))
        for start in range(0, len(numbers), size):
            self._tasks.append(self._task(sha256, tuple(numbers[start : start + size])))

    def _task(self, sha256: str, numbers: tuple[int, ...], *, count: bool = False) -> Task:
        file = self._files[sha256]
        return Task(path=file.path, file=sha256, stamp=file.stamp, numbers=numbers, count=count)
