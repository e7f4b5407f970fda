"""The ledger of a job: which pages its files have, what was read of each, and what a person made of it.

A page is known by what it shows, not by where it lies: read once, it is read wherever it turns up again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.closing import Closing
from edge.errors import JobError
from edge.forms.job.entries import Said, enter, judged_of, now
from edge.forms.job.generation import Generation
from edge.forms.job.job_folder import has_ledger, locked, open_ledger, told
from edge.forms.job.job_page import JobPage, Judged, StoredPage, page_from_json
from edge.forms.job.review_values import note_values
from edge.forms.values import FormPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a job: its id, its generation and that one's id; before: the generation of the run before it."""

    id: int
    generation: Generation
    generation_id: int
    before: Generation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A file that a run was given: its source, the sha256 of its bytes once known, or why it could not be opened."""

    generation_id: int
    source: str
    file: str | None = None
    error: str | None = None


class Ledger(Closing):
    """One job's ledger; opened for writing it holds the job's lock until it is closed."""

    def __init__(self, job: Path, *, write: bool = False, create: bool = False) -> None:
        """Open the ledger of a job folder; create makes both where they are absent, to write.

        Raises JobError if it is absent or broken, or if it is to be written and another process writes to it;
        SinkError if there is no room.
        """
        self.job = job
        with ExitStack() as held:
            alone = create or (write and has_ledger(job))
            if alone:
                held.enter_context(locked(job))
            self._db = open_ledger(job, create=create, alone=alone)
            held.callback(self._db.close)
            self._held = held.pop_all()
        self._generations: dict[int, Generation] = {}

    def close(self) -> None:
        """Close the file and let go of the lock; as often as wanted."""
        self._held.close()

    # A run, from its beginning to its end

    def begin(self, generation: Generation, sources: Sequence[str]) -> Run:
        """Begin a run over these sources in this order; all of it is noted, or nothing."""
        with self.change():
            last = self._db.execute("SELECT generation FROM run ORDER BY id DESC LIMIT 1").fetchone()
            generation_id = self._note_generation(generation)
            run_id = self._db.execute(
                "INSERT INTO run (generation, started) VALUES (?, ?)", (generation_id, now())
            ).lastrowid
            names = [os.fsencode(source) for source in sources]
            self._db.executemany("DELETE FROM input WHERE source = ?", ((name,) for name in names))
            self._db.executemany(
                "INSERT INTO input (run, position, source) VALUES (?, ?, ?)",
                ((run_id, position, name) for position, name in enumerate(names)),
            )
        before = None if last is None else self._generation(last[0])
        return Run(id=run_id or 0, generation=generation, generation_id=generation_id, before=before)

    def begin_aside(self, generation: Generation) -> Run:
        """Begin a run that is not one of the job's: what it reads is kept, and stands in no table."""
        with self.change():
            return Run(id=0, generation=generation, generation_id=self._note_generation(generation))

    def _note_generation(self, generation: Generation) -> int:
        key = (generation.sha256, generation.to_json())
        self._db.execute("INSERT OR IGNORE INTO generation (sha256, content) VALUES (?, ?)", key)
        (number,) = self._db.execute("SELECT id FROM generation WHERE sha256 = ?", key[:1]).fetchone()
        return int(number)

    def end(self, run: Run) -> None:
        """Note that a run went through."""
        with self.change():
            self._db.execute("UPDATE run SET ended = ? WHERE id = ?", (now(), run.id))

    def note_file(self, run: Run, position: int, *, file: str | None = None, error: str | None = None) -> None:
        """What the input at a position is: the sha256 of its bytes, or why it could not be opened."""
        with self.change():
            self._db.execute(
                "UPDATE input SET file = ?, error = ? WHERE run = ? AND position = ?", (file, error, run.id, position)
            )

    def count(self, run: Run, file: str) -> int | None:
        """How many pages a file has, None if that is not known yet."""
        found = self.row("SELECT pages FROM file WHERE generation = ? AND sha256 = ?", run.generation_id, file)
        return None if found is None else int(found[0])

    def set_count(self, run: Run, file: str, pages: int) -> None:
        """Note how many pages a file has; none beyond them is known any more."""
        with self.change():
            key = (run.generation_id, file, pages)
            self._db.execute("INSERT OR REPLACE INTO file VALUES (?, ?, ?)", key)
            self._db.execute("DELETE FROM place WHERE generation = ? AND file = ? AND number > ?", key)

    def done(self, run: Run, file: str) -> set[int]:
        """The numbers of the file's pages that were read; one that ended in an error is not among them."""
        rows = self.rows(
            "SELECT number FROM place WHERE generation = ? AND file = ? AND error IS NULL", run.generation_id, file
        )
        return {number for (number,) in rows}

    def record(
        self,
        run: Run,
        file: str,
        page: StoredPage,
        crops: Iterable[tuple[str, bytes]] = (),
        tiles: bytes | None = None,
    ) -> bool:
        """Note what came of a page of a file, PNG crops by field, the JPEG of its tiles; all of it, or nothing.

        True if it was read and nothing was known of such a page.
        """
        place = (run.generation_id, file, page.number)
        with self.change():
            if page.error is not None:
                self._db.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?, NULL, ?)", (*place, page.error))
                return False
            self._db.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?, NULL)", (*place, page.sha256))
            # Another file's copy may have come first: what is known stays, so that nothing is read twice.
            new = self._db.execute(
                "INSERT OR IGNORE INTO page (generation, sha256, content, ms, read_at) VALUES (?, ?, ?, ?, ?)",
                (run.generation_id, page.sha256, page.content, page.ms, now()),
            ).rowcount
            if new:
                self._db.executemany(
                    "INSERT OR REPLACE INTO crop VALUES (?, ?, ?, ?)",
                    ((run.generation_id, page.sha256, field, png) for field, png in crops),
                )
                leaf = note_values(self._db, run.generation_id, page.sha256, page.values)
                if tiles is not None:
                    self._db.execute("INSERT INTO tile (leaf, jpeg) VALUES (?, ?)", (leaf, tiles))
        return bool(new)

    # What tables are made of

    def inputs(self) -> Iterator[Input]:
        """Every source of the job: those of earlier runs first, then those of the last one, in their order."""
        rows = self.rows(
            "SELECT generation, source, file, error FROM input JOIN run ON id = input.run ORDER BY run, position"
        )
        for generation, source, file, error in rows:
            yield Input(generation_id=generation, source=os.fsdecode(source), file=file, error=error)

    def pages(self, given: Input) -> Iterator[JobPage]:
        """What is known of an input's pages, in order; those that no run has come to are not there."""
        if given.error is not None:
            yield self.error_page(given, given.error)
        if given.file is None:
            return
        for number, sha256, error in self.rows(
            "SELECT number, page, error FROM place WHERE generation = ? AND file = ? ORDER BY number",
            given.generation_id,
            given.file,
        ):
            yield self._page(given, number, sha256, error)

    def page(self, given: Input, number: int) -> JobPage | None:
        """What is known of one page of an input; None if no run has come to it."""
        found = self.row(
            "SELECT page, error FROM place WHERE generation = ? AND file = ? AND number = ?",
            given.generation_id,
            given.file,
            number,
        )
        return None if found is None else self._page(given, number, *found)

    def error_page(self, given: Input, error: str, number: int = 1) -> JobPage:
        """A page that could not be opened."""
        page = FormPage(source=given.source, page_number=number, sha256="", error=error)
        return JobPage(page=page, generation=self._generation(given.generation_id))

    def all_pages(self) -> Iterator[JobPage]:
        """Every page of the job that some run has come to, in the order of its inputs; copies are not marked."""
        for given in self.inputs():
            yield from self.pages(given)

    def unread(self) -> int:
        """How many files no run has got through yet."""
        found = self.row(
            """SELECT count(*) FROM input JOIN run ON run.id = input.run
               LEFT JOIN file ON file.generation = run.generation AND file.sha256 = input.file
               WHERE input.error IS NULL AND (input.file IS NULL OR file.pages IS NULL OR file.pages >
               (SELECT count(*) FROM place WHERE place.generation = run.generation AND place.file = input.file))"""
        )
        return 0 if found is None else int(found[0])

    def generations_in_use(self) -> tuple[Generation, ...]:
        """What the inputs were read with when last they were, the latest run's first."""
        rows = self.rows(
            "SELECT generation FROM run WHERE id IN (SELECT run FROM input) GROUP BY generation ORDER BY max(id) DESC"
        )
        return tuple(self._generation(number) for (number,) in rows)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Inside, the ledger is seen as it is now, whatever a run adds to it meanwhile."""
        with told(self.job):
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    def generations(self) -> int:
        """How many generations of results the job's runs made."""
        found = self.row("SELECT count(DISTINCT generation) FROM run")
        return 0 if found is None else int(found[0])

    def crop(self, page: JobPage, field: str) -> bytes | None:
        """PNG of a field as it was read; None where it needed no review, or was forgotten."""
        found = self.row("SELECT id FROM generation WHERE sha256 = ?", page.generation.sha256)
        return None if found is None else self.crop_of(found[0], page.page.sha256, field)

    def crop_of(self, generation: int, sha256: str, field: str) -> bytes | None:
        """The same, by the generation's number and the page's hash."""
        key = (generation, sha256, field)
        found = self.row("SELECT png FROM crop WHERE generation = ? AND page = ? AND field = ?", *key)
        return None if found is None else bytes(found[0])

    def _page(self, given: Input, number: int, sha256: str | None, error: str | None) -> JobPage:
        if sha256 is None:
            return self.error_page(given, error or "", number)
        found = self.row(
            "SELECT content, ms, read_at, forgotten FROM page WHERE generation = ? AND sha256 = ?",
            given.generation_id,
            sha256,
        )
        if found is None:
            return self.error_page(given, "its values are missing in the ledger; begin another job", number)
        content, ms, read_at, forgotten = found
        page = page_from_json(content, source=given.source, page_number=number, ms=ms)
        return JobPage(
            page=page,
            generation=self._generation(given.generation_id),
            judged=self.judged(sha256),
            forgotten=bool(forgotten),
            read_at=read_at,
        )

    # What people change

    def correct(self, sha256: str, values: Mapping[str, str]) -> None:
        """Note the values a person gave to fields of a page, for all generations; on disk when this returns."""
        with self.change(forever=True) as db:
            enter(db, [Said(page=sha256, field=field, value=value) for field, value in values.items()])

    def pack(self) -> None:
        """Write the file anew without what was deleted, and empty the log beside it."""
        with told(self.job):
            self._db.execute("VACUUM")
            (held,) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[:1]
        if held:
            raise JobError(
                f"job {self.job}: another program reads its ledger, so old pages stay in its log; run it again"
            )

    # SQLite

    def judged(self, sha256: str) -> Mapping[str, Judged]:
        """What people said of a page's values, by the name of the field."""
        with told(self.job):
            return judged_of(self._db, sha256)

    def _generation(self, number: int) -> Generation:
        if number not in self._generations:
            found = self.row("SELECT content FROM generation WHERE id = ?", number)
            if found is None:
                raise KeyError(number)
            self._generations[number] = Generation.from_json(found[0])
        return self._generations[number]

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a question gives."""
        with told(self.job):
            return self._db.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        """The first row that a question gives, None if there is none."""
        with told(self.job):
            found: tuple[Any, ...] | None = self._db.execute(statement, values).fetchone()
            return found

    def version(self) -> int:
        """A number that is another one once another connection has changed the ledger."""
        found = self.row("PRAGMA data_version")
        return 0 if found is None else int(found[0])

    @contextmanager
    def change(self, *, forever: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing.

        forever: once it is through, a power cut cannot undo it either, and what it deleted is overwritten.
        """
        with told(self.job):
            if forever:
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute("PRAGMA secure_delete = ON")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk has ended it already
                    self._db.execute("ROLLBACK")
                raise
