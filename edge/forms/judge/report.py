"""How good a job is, against pages whose values are known: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from edge.counted import counted
from edge.errors import SourceError
from edge.forms.job.crops import cut_field
from edge.forms.job.ledger import Ledger
from edge.forms.job.reopen import reopen
from edge.forms.job.review_figures import review_figures
from edge.forms.judge.charts import error_curve, reliability
from edge.forms.judge.report_drift import drift_of, drift_part
from edge.forms.judge.report_page import page_of, table
from edge.forms.judge.report_review import review_part
from edge.forms.judge.scored import (
    Score,
    Scored,
    Share,
    StraightThrough,
    certainty_of,
    score_job,
    straight_through,
    wrong_and_sure,
)
from edge.forms.truth import read_truth
from edge.imaging.ink import to_grey
from edge.inference.certainty import ERRORS, Certainty
from edge.sinks.whole import WholeOutput

_MOST_MISTAKES = 60


def write_report(job: Path, truth: Path, output: Path) -> str:
    """Write how good a job is as one HTML file, and say it in a line.

    Raises JobError if the job is absent or broken, SourceError if the truth cannot be used, SinkError if the file
    cannot be written.
    """
    known = read_truth(truth)
    with Ledger(job) as ledger, ledger.still():
        scored = score_job(ledger, known)
        reviewed = review_figures(ledger)
        figures = drift_of(ledger)
    certainty = certainty_of(scored)
    whole = Score.of("all", (one for one in scored if one.counts))
    straight = [straight_through(scored, certainty, error) for error in ERRORS] if certainty else []
    pages = len({one.page.place for one in scored})
    parts = [
        f"<h1>How well {escape(job.resolve().name)} was read</h1>",
        f"<p>{counted(pages, 'page')} and {counted(len(scored), 'field')} whose values {escape(truth.name)} knows. "
        "Shares have 95 % intervals (Wilson); they take values for independent, which those of one writer are not.</p>",
        *_straight_part(straight, scored),
        *_chart_part(certainty, whole),
        *_score_part(scored),
        *drift_part(figures),
        *review_part(reviewed),
        *_mistake_part(scored),
    ]
    with WholeOutput(output) as sink:
        sink.put(page_of(f"How well {job.resolve().name} was read", parts))
    return (
        f"{counted(pages, 'page')}, {counted(len(scored), 'known field')}: "
        f"right {whole.right}, put out {whole.put_out}, wrong among those {whole.wrong}"
    )


def _straight_part(straight: Sequence[StraightThrough], scored: Sequence[Scored]) -> list[str]:
    places = {one.page.place: one.page for one in scored}
    alone = Share(hits=sum(page.status_as_read == "read" for page in places.values()), n=len(places))
    rows = [
        (
            f"{one.error:.1%}",
            "not reached" if one.confidence is None else f"{one.confidence:.4f}",
            str(one.values),
            str(one.pages),
        )
        for one in straight
    ]
    return [
        "<h2>What goes straight through</h2>",
        f"<p>As it was run, {alone} of the pages needed nobody. If values were put out from another confidence on, "
        "chosen so that at most this share of them is wrong (on these very pages; on others it is a little worse):</p>",
        table(("wrong at most", "confidence from", "values put out", "pages that need nobody"), rows),
    ]


def _chart_part(certainty: Certainty | None, whole: Score) -> list[str]:
    if certainty is None:
        return []
    now = None
    if whole.wrong.n:
        now = (1 - whole.put_out.hits / whole.put_out.n, whole.wrong.hits / whole.wrong.n)
    return [
        "<h2>How far the confidence can be trusted</h2>",
        f'<div class="pair"><figure>{error_curve(certainty, now=now)}<figcaption>The error that is left among values '
        "put out when the least sure are refused.</figcaption></figure>"
        f"<figure>{reliability(certainty.bins())}<figcaption>Of values with a certain confidence, how many are right; "
        f"on the dashed line a confidence says what it means. Expected calibration error {certainty.ece:.2%}."
        "</figcaption></figure></div>",
    ]


def _score_part(scored: Sequence[Scored]) -> list[str]:
    head = ("", "known", "right, put out or not", "put out", "wrong among those")
    by_field = sorted((one for one in scored if one.counts), key=lambda one: one.field)
    fields = [Score.of(name, items) for name, items in groupby(by_field, key=lambda one: one.field)]
    by_kind = sorted(scored, key=lambda one: one.known.kind)
    kinds = [Score.of(name, items) for name, items in groupby(by_kind, key=lambda one: one.known.kind)]
    return [
        "<h2>Field by field</h2>",
        "<p>Values that stand there or were seen; cells of a grid together.</p>",
        table(head, [_row(one) for one in fields]),
        "<h2>By what stands there</h2>",
        "<p>Right for blank: nothing was seen. Other ink has no right value; whatever is put out of it is wrong.</p>",
        table(head, [_row(one) for one in kinds]),
    ]


def _row(score: Score) -> tuple[str, ...]:
    return score.name, f"{score.put_out.n:,}", str(score.right), str(score.put_out), str(score.wrong)


def _mistake_part(scored: Sequence[Scored]) -> list[str]:
    worst = wrong_and_sure(scored, _MOST_MISTAKES)
    if not worst:
        return ["<h2>Mistakes</h2>", "<p>No wrong value was put out.</p>"]
    items = []
    for _, one_page in groupby(sorted(worst, key=lambda one: one.page.place), key=lambda one: one.page.place):
        items += _crops(list(one_page))
    items.sort(key=lambda item: -item[0])
    return [
        "<h2>Mistakes</h2>",
        "<p>Wrong values that nobody would have looked at, the surest first.</p>",
        '<ul class="crops">' + "".join(text for _, text in items) + "</ul>",
    ]


def _crops(mistakes: Sequence[Scored]) -> list[tuple[float, str]]:
    """Confidence and list item of each mistake of one page."""
    try:
        page = reopen(mistakes[0].page)
    except SourceError as error:
        page, missing = None, str(error).encode(errors="backslashreplace").decode()
    place = mistakes[0].page.place.encode(errors="backslashreplace").decode()  # names on disk need not be valid text
    items = []
    for one in mistakes:
        if one.reading is None:
            continue
        said = one.reading.value or "nothing"
        if page is None:
            picture = f"<small>{escape(missing)}</small>"
        else:
            png = cut_field(to_grey(page.pixels), one.reading, page.pixels.shape[1] / page.width)
            picture = f'<img alt="" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
        items.append(
            (
                one.confidence,
                f"<li>{picture}read <b>{escape(said)}</b> at {one.confidence:.1%}, is "
                f"<b>{escape(one.known.value or one.known.kind)}</b>"
                f"<small>{escape(one.name)}, {escape(place)}</small></li>",
            )
        )
    return items
