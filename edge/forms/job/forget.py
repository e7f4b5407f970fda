"""Forgetting: values and pictures of old pages go, beyond recovery; that the pages were read stays known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from edge.counted import counted
from edge.forms.job.entries import forget_said, iso_time
from edge.forms.job.job_page import StoredPage, page_from_json
from edge.forms.job.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was deleted: the values of so many pages, so many crops, so many corrections."""

    pages: int
    crops: int
    corrections: int

    def __str__(self) -> str:
        return (
            f"forgotten: the values of {counted(self.pages, 'page')}, {counted(self.crops, 'picture')}, "
            f"{counted(self.corrections, 'correction')}"
        )


def forget_pages(job: Path, before: datetime) -> Forgotten:
    """Delete values, corrections and crops of all pages read before a time (without a zone: of this machine's).

    No run reads these pages again. Raises JobError if the job is absent, locked or broken, SinkError if there is no
    room for the ledger's new file.
    """
    limit = iso_time(before)
    with Ledger(job, write=True) as ledger:
        with ledger.change(forever=True) as db:
            old = "(SELECT sha256 FROM page WHERE read_at < ?)"
            corrections = db.execute(f"DELETE FROM correction WHERE page IN {old}", (limit,)).rowcount  # noqa: S608
            forget_said(db, limit)
            crops = db.execute(
                "DELETE FROM crop WHERE (generation, page) IN (SELECT generation, sha256 FROM page WHERE read_at < ?)",
                (limit,),
            ).rowcount
            rows = db.execute(
                "SELECT generation, sha256, content FROM page WHERE read_at < ? AND NOT forgotten", (limit,)
            ).fetchall()
            for generation, sha256, content in rows:
                page = page_from_json(content, source="", page_number=1, ms=0.0)
                db.execute(
                    "UPDATE page SET content = ?, forgotten = 1 WHERE generation = ? AND sha256 = ?",
                    (StoredPage.of(replace(page, fields=())).content, generation, sha256),
                )
        ledger.pack()
    return Forgotten(pages=len({sha256 for _, sha256, _ in rows}), crops=crops, corrections=corrections)
