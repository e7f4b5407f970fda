"""A page as a run puts it out, made by the worker that has just read it."""

from __future__ import annotations

from dataclasses import dataclass

from edge.forms.job.generation import Generation
from edge.forms.job.job_page import JobPage, PageStatus
from edge.forms.job.tables import LineFormat, text_of
from edge.forms.values import FormPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What stands in the output for a page that was read, is no copy and was judged by nobody, and its status."""

    text: str
    status: PageStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """How pages of a run are put out, and what they are read with.

    The text is the same as that of the page out of the ledger: to decode it from there and write it again would take
    the one process that keeps the ledger as long as all else that it does for a page.
    """

    output_format: LineFormat
    generation: Generation

    def of(self, page: FormPage) -> Shown:
        """A page that was read, as it is put out."""
        of_job = JobPage(page=page, generation=self.generation)
        return Shown(text=text_of(of_job, self.output_format, self.generation.columns), status=of_job.status)
