"""What people made of a job, as a part of its report: their time, the errors they found, the pages that are done."""

from __future__ import annotations

from edge.forms.job.review_figures import ReviewFigures
from edge.forms.judge.report_page import table
from edge.forms.judge.scored import Share


def review_part(figures: ReviewFigures) -> list[str]:
    """That part as HTML; nothing if nobody has looked at the job."""
    if not figures.judged:
        return []
    time = f"{figures.time} (median of {figures.timed})" if figures.time else "–"
    rows = [
        ("Values judged", f"{figures.judged:,} by {figures.people}, {figures.unreadable} of them unreadable"),
        ("Time a value", time),
        ("Wrong among those held for review", str(Share(hits=figures.doubted_wrong, n=figures.doubted))),
        ("Wrong among those taken for sure", str(Share(hits=figures.sure_wrong, n=figures.sure))),
        ("Pages that needed nobody, as they were read", str(Share(hits=figures.through_before, n=figures.pages))),
        ("Pages that need nobody now", str(Share(hits=figures.through_after, n=figures.pages))),
        ("Values left to look at", f"{figures.left.waiting:,}"),
    ]
    if figures.keyed_twice:
        rows.append(("Two names disagreed on a value", str(Share(hits=figures.disagreed, n=figures.keyed_twice))))
    return [
        "<h2>What people made of it</h2>",
        "<p>Wrong is what a person gave another value. Of those taken for sure, the share is that of the "
        "ones that somebody looked at, mostly the least sure.</p>",
        table(("", ""), rows),
    ]
