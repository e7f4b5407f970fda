"""Whether the digit model met, in a job, what it was made for, as a part of the job's report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge.errors import ModelError
from edge.forms.job.generation import identity
from edge.forms.job.ledger import Ledger
from edge.forms.job.review_values import Doubt
from edge.forms.judge.report_page import table
from edge.inference.drift import Drift, Figures
from edge.inference.installed import Store
from edge.inference.manifest import Manifest
from edge.inference.shipped import shipped_models


def drift_of(ledger: Ledger) -> Figures | None:
    """The figures of the latest digits in rows of cells; None if the model is not at hand or says not what to expect.

    Rows that hold ink that is no digit are not among them. Raises JobError.
    """
    used = ledger.generations_in_use()
    if not used:
        return None
    drift = next((Drift.of(Manifest.read(file.with_suffix(".json"))) for file in _models(used[0].model)), None)
    if drift is None:
        return None
    rows = ledger.rows(
        """SELECT value.confidence FROM value JOIN leaf ON leaf.id = value.leaf
           WHERE value.doubt = ? AND leaf.generation = (SELECT generation FROM run ORDER BY id DESC LIMIT 1)
           ORDER BY value.leaf, value.position""",
        int(Doubt.CELL),
    )
    for (confidence,) in rows:
        drift.add(confidence)
    return drift.figures()


def drift_part(figures: Figures | None) -> list[str]:
    """That part as HTML; nothing if there are no figures."""
    if figures is None or not figures.n:
        return []
    rows = [
        (
            one.what,
            f"{one.value:.1%} ({one.low:.1%} to {one.high:.1%})",
            f"{one.expected:.1%}",
            "worse" if one.left else "as expected or better",
        )
        for one in figures.all
        if one.what != "no digit"
    ]
    return [
        "<h2>Whether the model is what this writing needs</h2>",
        f"<p>The latest {figures.n:,} digits in rows of boxes, against the digits that the model was calibrated on. "
        "Intervals are of 4 standard errors, by blocks of neighbours; only worse is told. If it is, corrected digits "
        "teach the model: docs/learn.md.</p>",
        table(("", "here", "expected", ""), rows),
    ]


def _models(wanted: str) -> Iterator[Path]:
    """Installed and shipped digit models of that identity."""
    for file in (*Store.here().history("digit"), *(model.file for model in shipped_models("digit"))):
        try:
            if identity(file, "digit") == wanted:
                yield file
        except ModelError:
            continue
