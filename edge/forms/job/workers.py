"""Worker processes that read pages: what one of them dies of or hangs on costs that page, not the job."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from edge.closing import Closing
from edge.errors import JobError
from edge.forms.job.job_page import StoredPage
from edge.forms.job.shown import Showing
from edge.forms.job.work import Counted, Message, OpenReader, PageDone, Ready, Refused, Task, error_page, serve

# A page is tried so often: a worker may have died of something else, such as a neighbour's hunger for memory.
_TRIES = 2
# One task at hand while another is read, so that no worker waits for us.
_AT_HAND = 2
# A pause longer than a tick is not held against a worker: this process, or the machine, was asleep then.
_TICK_S = 1.0
_START_S = 300.0
_FUTILE_STARTS = 3
# Workers take one thread each for their arithmetic, for several share the cores. And they keep the memory of a page
# for the next one (glibc's words): to be given fresh memory for every picture takes as long as half a page's decoding.
WORKER_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
}
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(slots=True, eq=False)
class _Worker:
    """A process, our end of its pipe, the tasks it has been given, and for how long it has been silent."""

    process: BaseProcess
    connection: Connection
    tasks: deque[Task] = field(default_factory=deque)
    ready: bool = False
    silent_s: float = 0.0


class Workers(Closing):
    """So many processes, each with its reader; tasks go in, what came of their pages comes out in any order."""

    def __init__(self, open_reader: OpenReader, count: int, *, page_s: float, showing: Showing | None = None) -> None:
        """Nothing is started before the first task. page_s: how long a page may take.

        showing: how pages are put out, if they are.
        """
        self.count = count
        self._open_reader = open_reader
        self._page_s = page_s
        self._showing = showing
        self._workers: list[_Worker] = []
        self._said: queue.SimpleQueue[tuple[_Worker, Message | None]] = queue.SimpleQueue()
        self._again: deque[Task] = deque()
        self._tries: Counter[tuple[str, int]] = Counter()
        self._futile = 0
        self._ticked = time.monotonic()

    def close(self) -> None:
        """End all processes at once, whatever they are at; as often as wanted."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
        self._workers.clear()

    @property
    def wanting(self) -> bool:
        """True if a worker could be given a task."""
        return not self._again and (
            len(self._workers) < self.count or any(len(worker.tasks) < _AT_HAND for worker in self._workers)
        )

    @property
    def busy(self) -> bool:
        """True while a page that was given is not answered."""
        return bool(self._again) or any(worker.tasks for worker in self._workers)

    def give(self, task: Task) -> None:
        """Have the pages of a task read; to be called when workers are wanting."""
        if len(self._workers) < self.count and all(worker.tasks for worker in self._workers):
            self._workers.append(self._start())
        worker = min(self._workers, key=lambda one: len(one.tasks))
        worker.tasks.append(task)
        with suppress(OSError):  # it has just died; its last word tells us so
            worker.connection.send(task)

    def wait(self, most_s: float) -> Iterator[Counted | PageDone]:
        """What the workers have said; waits for a word, at most so long.

        Raises ModelError if they cannot open the models, JobError if they die before they do anything.
        """
        try:
            worker, message = self._said.get(timeout=most_s)
        except queue.Empty:
            yield from self._check_time()
            return
        while True:
            yield from self._hear(worker, message)
            try:
                worker, message = self._said.get_nowait()
            except queue.Empty:
                break
        yield from self._check_time()
        while self._again and any(len(worker.tasks) < _AT_HAND for worker in self._workers):
            self.give(self._again.popleft())

    def _hear(self, worker: _Worker, message: Message | None) -> Iterator[Counted | PageDone]:
        if worker not in self._workers:  # its last words, after it was given up
            return
        worker.silent_s = 0.0
        match message:
            case None:
                yield from self._bury(worker, "the worker that read it died (exit code {code})")
            case Refused(error=error):
                raise error
            case Ready():
                worker.ready = True
                self._futile = 0
            case Counted():
                worker.tasks[0] = replace(worker.tasks[0], count=False)
                yield message
            case PageDone():
                self._futile = 0
                task = worker.tasks.popleft()
                if task.numbers[1:]:
                    worker.tasks.appendleft(replace(task, numbers=task.numbers[1:]))
                yield message

    def _check_time(self) -> Iterator[PageDone | Counted]:
        now = time.monotonic()
        passed = min(now - self._ticked, _TICK_S)
        self._ticked = now
        for worker in list(self._workers):
            worker.silent_s = worker.silent_s + passed if worker.tasks or not worker.ready else 0.0
            if worker.silent_s > (self._page_s if worker.ready else _START_S):
                yield from self._bury(
                    worker, f"it took more than {self._page_s:g} s; the worker that read it was ended"
                )

    def _bury(self, worker: _Worker, reason: str) -> Iterator[PageDone | Counted]:
        """Replace a worker that is dead or hangs; the page it was at is tried again, or given up."""
        worker.process.kill()
        worker.process.join()
        self._workers.remove(worker)
        reason = reason.format(code=worker.process.exitcode)
        if not worker.ready:
            self._futile += 1
            if self._futile >= _FUTILE_STARTS:
                raise JobError(
                    f"workers: they end before they have opened their models ({reason}); take fewer --workers"
                )
            self._again.extendleft(reversed(worker.tasks))
        elif worker.tasks:
            task = worker.tasks[0]
            key = (task.file, task.numbers[0])
            self._tries[key] += 1
            if self._tries[key] >= _TRIES:
                if task.count:  # it died counting
                    yield Counted(file=task.file, pages=1)
                page = error_page(
                    task, task.numbers[0], f"{reason}, {_TRIES} times; look at the page, or scan it again"
                )
                yield PageDone(file=task.file, page=StoredPage.of(page))
                worker.tasks.popleft()
                if task.numbers[1:]:
                    worker.tasks.appendleft(replace(task, numbers=task.numbers[1:], count=False))
            self._again.extendleft(reversed(worker.tasks))
        if self._again:
            self._workers.append(self._start())
        while self._again and any(len(one.tasks) < _AT_HAND for one in self._workers):
            self.give(self._again.popleft())

    def _start(self) -> _Worker:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(
            target=serve, args=(theirs, self._open_reader, os.getpid(), self._showing), daemon=True
        )
        with _environment(), _deaf():
            process.start()
        theirs.close()
        worker = _Worker(process=process, connection=ours)
        # A thread, because a worker may stop in the middle of a message, and nobody must wait for the rest of it.
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        return worker

    def _listen(self, worker: _Worker) -> None:
        """Pass on what a worker says; None when it will say nothing more."""
        while True:
            messages: tuple[Message | None, ...]
            try:
                messages = worker.connection.recv()
            except Exception:  # the pipe's end, or a message that was cut off by death
                messages = (None,)
            for message in messages:
                self._said.put((worker, message))
            if messages == (None,):
                worker.connection.close()
                return


@contextmanager
def _environment() -> Iterator[None]:
    """Processes started inside have the environment of workers."""
    before = {name: os.environ.get(name) for name in WORKER_ENVIRONMENT}
    os.environ.update(WORKER_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes started inside do not hear Ctrl-C or SIGTERM: their parent does, and ends them."""
    signals = (signal.SIGINT, signal.SIGTERM)
    resource_tracker.ensure_running()  # it is started with the first process otherwise, and lets them be heard again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
