"""The templates of a job as its ledger keeps them, so that its digits can be cut again when their files have gone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge.forms.job.ledger import Ledger
from edge.forms.template import Field, Marks, Template


def keep_forms(ledger: Ledger, templates: Iterable[Template]) -> None:
    """Keep templates under their sha256."""
    with ledger.change() as db:
        db.executemany(
            "INSERT OR REPLACE INTO form VALUES (?, ?)",
            ((one.sha256, json.dumps(asdict(one), default=_path)) for one in templates),
        )


def kept_form(ledger: Ledger, sha256: str) -> Template | None:
    """The template of that sha256; None if the ledger, of an older inkedge, does not have it."""
    found = ledger.row("SELECT content FROM form WHERE sha256 = ?", sha256)
    if found is None:
        return None
    raw: dict[str, Any] = json.loads(found[0])
    fields = tuple(Field(**_tuples(one)) for one in raw.pop("fields"))
    marks, reference = raw.pop("marks"), raw.pop("reference")
    return Template(
        **_tuples(raw),
        fields=fields,
        marks=None if marks is None else Marks(**_tuples(marks)),
        reference=None if reference is None else Path(reference),
    )


def _path(path: Path) -> str:
    return str(path.resolve())


def _tuples(raw: dict[str, Any]) -> dict[str, Any]:
    """What JSON has as lists, as the templates have it."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}
