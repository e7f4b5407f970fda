"""What browsers ask and say, checked: nothing of it is trusted."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.errors import UsageError
from edge.forms.job.entries import Said, clean_name, clean_value
from edge.forms.job.review_queue import ORDERS, Order
from edge.web.review.desk import MOST_ALIKE

_LONGEST_TOKEN, _LONGEST_KEY = 64, 200
# Whoever looks at a value for longer was called away.
_MOST_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a person said with one press of a key; token: the browser's own name for that."""

    name: str
    token: str
    said: tuple[Said, ...]


def asked_name(query: Mapping[str, str]) -> str:
    """Whose turn it is. Raises UsageError."""
    return clean_name(query.get("name", ""))


def asked_order(query: Mapping[str, str]) -> Order:
    """In which order; by risk if nothing is said. Raises UsageError."""
    text = query.get("order", ORDERS[0])
    for order in ORDERS:
        if text == order:
            return order
    raise UsageError(f"order: it is one of {', '.join(ORDERS)}")


def asked_entry(body: bytes) -> Entry:
    """One value: {name, token, page, field, revision, took_s, value or null}. Raises UsageError."""
    raw = _object(body)
    value = raw.get("value")
    if value is not None and not isinstance(value, str):
        raise UsageError("value: a text, or null for what nobody can read")
    return Entry(name=clean_name(_text(raw, "name", 1000)), token=_text(raw, "token", _LONGEST_TOKEN), said=(
        _said(raw, value=None if value is None else clean_value(value), took_s=_seconds(raw)),
    ))  # fmt: skip


def asked_sheet(body: bytes) -> Entry:
    """A sheet: {name, token, text, took_s, values: [{page, field, revision, odd}]}. Raises UsageError."""
    raw = _object(body)
    values, text = raw.get("values"), clean_value(_text(raw, "text", 1, least=0))
    if not isinstance(values, list) or not 0 < len(values) <= MOST_ALIKE:
        raise UsageError(f"values: a list of 1 to {MOST_ALIKE}")
    took_s = _seconds(raw)
    each_s = None if took_s is None else took_s / len(values)
    said = []
    for one in values:
        if not isinstance(one, dict):
            raise UsageError("values: each is an object")
        odd = one.get("odd") is True
        said.append(_said(one, value=None if odd else text, odd=odd, took_s=each_s))
    name = clean_name(_text(raw, "name", 1000))
    return Entry(name=name, token=_text(raw, "token", _LONGEST_TOKEN), said=tuple(said))


def asked_undo(body: bytes) -> tuple[str, str | None]:
    """Who takes back, and under which token, if any: {name, token}. Raises UsageError."""
    raw = _object(body)
    token = None if raw.get("token") is None else _text(raw, "token", _LONGEST_TOKEN)
    return clean_name(_text(raw, "name", 1000)), token


def asked_error(body: bytes) -> float | None:
    """The share of errors that was chosen, {error: 0.01 or null}. Raises UsageError."""
    error = _object(body).get("error")
    if error is None:
        return None
    if isinstance(error, bool) or not isinstance(error, int | float) or not 0.0 <= error <= 1.0:
        raise UsageError("error: a share of errors lies in 0 to 1")
    return float(error)


def _object(body: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError("what was sent is no JSON") from error
    if not isinstance(raw, dict):
        raise UsageError("what was sent is no object")
    return raw


def _text(raw: Mapping[str, Any], name: str, most: int, *, least: int = 1) -> str:
    text = raw.get(name)
    if not isinstance(text, str) or not least <= len(text) <= most:
        raise UsageError(f"{name}: a text of {least} to {most} characters")
    return text


def _said(raw: Mapping[str, Any], *, value: str | None, odd: bool = False, took_s: float | None) -> Said:
    seen = raw.get("revision")
    if isinstance(seen, bool) or not isinstance(seen, int) or not 0 <= seen < 1 << 62:
        raise UsageError("revision: a whole number")
    page, field = _text(raw, "page", _LONGEST_KEY), _text(raw, "field", _LONGEST_KEY)
    return Said(page=page, field=field, value=value, odd=odd, seen=seen, took_s=took_s)


def _seconds(raw: Mapping[str, Any]) -> float | None:
    took = raw.get("took_s")
    if isinstance(took, bool) or not isinstance(took, int | float) or not math.isfinite(took) or took < 0:
        return None
    return min(float(took), _MOST_S)
