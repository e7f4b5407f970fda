"""A job's table in a file of its own: CSV, JSON lines, a spreadsheet, or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from edge.counted import counted
from edge.errors import UsageError
from edge.forms.job.job_page import Copies, JobPage
from edge.forms.job.ledger import Ledger
from edge.forms.job.spreadsheet import write_parquet, write_xlsx
from edge.forms.job.tables import FormsSink, LineFormat, in_table


@dataclass(slots=True, kw_only=True)
class Exported:
    """What went into a file, and what of the job did not: second copies, forgotten pages, files not read yet."""

    path: Path
    pages: int = 0
    duplicates: int = 0
    forgotten: int = 0
    unread: int = 0

    def __str__(self) -> str:
        parts = [f"{counted(self.pages, 'page')} in {self.path}"]
        if self.duplicates:
            parts.append(f"{counted(self.duplicates, 'second copy', 'second copies')} left out")
        if self.forgotten:
            parts.append(f"{counted(self.forgotten, 'forgotten page')} left out")
        if self.unread:
            parts.append(
                f"{counted(self.unread, 'file is', 'files are')} not read yet; `edge forms read` goes on from there"
            )
        return "; ".join(parts)


Write = Callable[[Path, Sequence[str], Iterable[JobPage]], None]


def export_job(job: Path, output: Path) -> Exported:
    """Write all pages of a job, in its order, to a file whose suffix says how; it appears when it is complete.

    Raises UsageError for another suffix or a library that is not installed, JobError if the job is absent or broken,
    SinkError if the file cannot be written.
    """
    write = _WRITERS.get(output.suffix.lower())
    if write is None:
        raise UsageError(f"{output}: the suffix says how it is written; use {', '.join(_WRITERS)}")
    exported = Exported(path=output)
    with Ledger(job) as ledger, ledger.still():
        exported.unread = ledger.unread()
        write(output, columns_of(ledger), _in_table(ledger.all_pages(), exported))
    return exported


def export_all(job: Path, output: Path | None, *, review: Path | None, crops: Path | None) -> Iterator[str]:
    """Write what was asked for: the table, the spreadsheet for review, the folder of digits; say each in a line.

    Raises UsageError if nothing was, and what export_job, write_review and write_crops raise.
    """
    if output is None and review is None and crops is None:
        raise UsageError("say what to export: --output FILE for the table, --review FILE.xlsx, --crops DIR")
    if output is not None:
        yield str(export_job(job, output))
    if review is not None:
        from edge.forms.job.review_book import write_review  # only these want openpyxl's pictures, or the networks' ink

        yield str(write_review(job, review))
    if crops is not None:
        from edge.forms.job.labelled_crops import write_crops

        yield str(write_crops(job, crops))


def columns_of(ledger: Ledger) -> tuple[str, ...]:
    """Names of all fields of the job's pages, each once: those of the last run's templates first."""
    return tuple(dict.fromkeys(name for generation in ledger.generations_in_use() for name in generation.columns))


def _in_table(pages: Iterable[JobPage], exported: Exported) -> Iterator[JobPage]:
    copies = Copies()
    for page in pages:
        marked = copies.mark(page)
        exported.duplicates += marked.duplicate_of is not None
        exported.forgotten += marked.forgotten and marked.duplicate_of is None
        if in_table(marked):
            exported.pages += 1
            yield marked


def _write_lines(output_format: LineFormat) -> Write:
    def write(output: Path, fields: Sequence[str], pages: Iterable[JobPage]) -> None:
        with FormsSink(output_format, output, fields) as sink:
            for page in pages:
                sink.write(page)

    return write


_WRITERS: Mapping[str, Write] = MappingProxyType(
    {".csv": _write_lines("csv"), ".jsonl": _write_lines("jsonl"), ".xlsx": write_xlsx, ".parquet": write_parquet}
)
