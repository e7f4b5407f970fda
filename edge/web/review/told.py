"""What browsers are told, as JSON: values, pictures among others, what became of what was said."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from edge.errors import SourceError
from edge.forms.job.entries import Entered
from edge.forms.job.review_queue import Open, Seen
from edge.forms.job.tiles import TILE_PX, take_tiles
from edge.values import Image
from edge.web.review.cuts import Cuts
from edge.web.review.desk import Progress


def told_progress(progress: Progress, max_error: float | None, *, job: str, twice: bool) -> dict[str, Any]:
    """How far a review is."""
    return {
        "job": _text(job),
        "twice": twice,
        "error": max_error,
        "left": progress.left.waiting,
        "judged": progress.left.judged,
        "disputed": progress.disputed,
        "alike": dict(progress.alike),
    }


def told_value(one: Open, seen: Seen, *, blind: bool) -> dict[str, Any]:
    """A value that waits, and the place behind it."""
    return told_seen(seen, blind=blind) | {"after": one.after}


def told_seen(seen: Seen, *, blind: bool) -> dict[str, Any]:
    """A value; blind: without what was read or said, which two who key it should not know."""
    told: dict[str, Any] = {
        "page": seen.page.sha256,
        "field": seen.reading.name,
        "place": _text(seen.place),
        "revision": seen.revision,
        "generation": seen.generation,
        "blind": blind,
    }
    if blind:
        return told
    return told | {
        "text": seen.reading.value,
        "confidence": round(seen.reading.confidence, 4),
        "alternatives": [[text, round(share, 4)] for text, share in seen.reading.alternatives],
        "reason": seen.reading.reason or "",
        "others": [[name, value] for name, value in seen.others],
    }


def told_alike(found: Sequence[tuple[Open, tuple[bytes, int] | None]], cuts: Cuts) -> list[dict[str, Any]]:
    """Values of a sheet with their small pictures; cut from the page again where the ledger has none."""
    by_leaf: dict[int, list[int]] = defaultdict(list)
    sheets: dict[int, bytes] = {}
    for one, tile in found:
        if tile is not None:
            sheets[one.leaf] = tile[0]
            by_leaf[one.leaf].append(tile[1])
    taken = {
        (leaf, place): picture
        for leaf, places in by_leaf.items()
        for place, picture in zip(places, take_tiles(sheets[leaf], places), strict=True)
    }
    told = []
    for one, tile in found:
        picture = _cut_again(one, cuts) if tile is None else taken[one.leaf, tile[1]]
        told.append(
            {
                "page": one.page,
                "field": one.field,
                "confidence": round(one.confidence, 4),
                "revision": 0,  # only what nobody has judged stands in a sheet
                "picture": _data_url(picture),
            }
        )
    return told


def told_entered(entered: Entered) -> dict[str, Any]:
    """What became of what was said; of what was refused, why."""
    return {
        "noted": entered.noted,
        "refused": [
            {"page": one.said.page, "field": one.said.field, "why": str(one), "known": one.theirs is not None}
            for one in entered.refused
        ],
    }


def _cut_again(one: Open, cuts: Cuts) -> Image:
    try:
        return cuts.tile(one.page, one.field)
    except SourceError:  # its file is gone: the grid shows a grey place, the single view says why
        return np.full((TILE_PX, TILE_PX), 200, np.uint8)


def _data_url(picture: Image) -> str:
    return "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()


def _text(text: str) -> str:
    """Text that is valid Unicode; names on disk need not be."""
    return text.encode(errors="backslashreplace").decode()
