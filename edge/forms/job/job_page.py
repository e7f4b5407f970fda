"""A page of a job as tables have it: what was read, what a person made of it, and whether it is a second copy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, Literal, TypeAlias

from edge.forms.job.generation import Generation
from edge.forms.values import FieldReading, FormPage, Registration
from edge.values import Box

PageStatus: TypeAlias = Literal["read", "review", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """A page under the source it has in its job.

    generation: what it was read with. corrections: the value that a person gave, by the name of the field.
    duplicate_of: the `SOURCE#PAGE` of which it is a second copy. forgotten: it was read, and its values were deleted
    since. The page of a duplicate or a forgotten one has no fields. read_at: UTC, ISO 8601; "" for an error.
    """

    page: FormPage
    generation: Generation
    corrections: Mapping[str, str] = field(default_factory=dict)
    duplicate_of: str | None = None
    forgotten: bool = False
    read_at: str = ""

    @property
    def place(self) -> str:
        """`SOURCE#PAGE`."""
        return f"{self.page.source}#{self.page.page_number}"

    @property
    def status(self) -> PageStatus:
        """`read` if nobody needs to look at it, `error` if it could not be opened, `review` otherwise."""
        if self.page.error is not None:
            return "error"
        if self.duplicate_of is not None or self.forgotten:
            return "read"
        open_fields = [one for one in self.page.fields if one.name not in self.corrections]
        if self.page.template is None or self.page.registration is None:
            return "review"
        if self.page.registration.status != "ok" and (open_fields or not self.page.fields):
            return "review"
        required = self.generation.required(self.page.template)
        doubtful = (one.status == "review" or (one.status == "empty" and one.name in required) for one in open_fields)
        return "review" if any(doubtful) else "read"


class Copies:
    """Which pages came before: a page that shows the same is a copy, in whatever file it lies."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def mark(self, page: JobPage) -> JobPage:
        """The page as it is if it is the first that shows this; else its copy, without fields."""
        if page.page.error is not None:
            return page
        first = self._first.get(page.page.sha256)
        if first is None:
            self._first[page.page.sha256] = page.place
            return page
        return replace(page, duplicate_of=first, page=replace(page.page, fields=()))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """What came of a page as the ledger stores it: content is the JSON of all of it but where it stands and its ms.

    A worker makes it, so that the process that keeps the ledger need not.
    """

    number: int
    sha256: str
    content: str
    ms: float
    error: str | None = None

    @classmethod
    def of(cls, page: FormPage) -> StoredPage:
        """A page as it is stored."""
        content = {name: value for name, value in _plain(page).items() if name not in ("source", "page_number", "ms")}
        text = json.dumps(content, default=_plain, separators=(",", ":"))
        return cls(number=page.page_number, sha256=page.sha256, content=text, ms=page.ms, error=page.error)


def page_from_json(text: str, *, source: str, page_number: int, ms: float) -> FormPage:
    """The page of a StoredPage's content, at this place."""
    content = _known(FormPage, json.loads(text))
    registration = content.pop("registration", None)
    read = content.pop("fields", ())
    return FormPage(
        **content,
        source=source,
        page_number=page_number,
        ms=ms,
        registration=None if registration is None else Registration(**_known(Registration, registration)),
        fields=tuple(_field(one) for one in read),
    )


def _field(raw: dict[str, Any]) -> FieldReading:
    content = _known(FieldReading, raw)
    content["box"] = Box(**content["box"])
    content["quad"] = tuple(map(tuple, content["quad"]))
    content["alternatives"] = tuple(map(tuple, content["alternatives"]))
    return FieldReading(**content)


def _plain(value: Any) -> dict[str, Any]:
    """A frozen value as a dict of its fields as they are; asdict copies what is in them, at ten times the cost."""
    kind: Any = type(value)
    return {name: getattr(value, name) for name in _names(kind)}


def _known(kind: Any, raw: dict[str, Any]) -> dict[str, Any]:
    """Of raw what the class knows: a later version may have stored more."""
    names = _names(kind)
    return raw if raw.keys() <= names else {name: value for name, value in raw.items() if name in names}


@cache
def _names(kind: Any) -> Set[str]:
    return dict.fromkeys(one.name for one in fields(kind)).keys()
