"""A page of a job as tables have it: what was read, what a person made of it, and whether it is a second copy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, Literal, TypeAlias

from edge.forms.job.generation import Generation
from edge.forms.job.review_values import ReviewValue, review_values
from edge.forms.values import FieldReading, FormPage, Registration
from edge.values import Box

PageStatus: TypeAlias = Literal["read", "review", "error"]


JudgedAs: TypeAlias = Literal["accepted", "corrected", "unreadable", "odd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a person said of a value: it is as read, it is another, nobody can read it, or it looks odd to them.

    value: "" unless it is accepted or corrected, and where nothing is written. made_at: UTC, ISO 8601.
    """

    kind: JudgedAs
    value: str
    name: str
    made_at: str


def place_of(source: str, number: int) -> str:
    """`SOURCE#PAGE`."""
    return f"{source}#{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """A page under the source it has in its job.

    generation: what it was read with. judged: what people said of its values, by the name of the field.
    duplicate_of: the `SOURCE#PAGE` of which it is a second copy. forgotten: it was read, and its values were deleted
    since. The page of a duplicate or a forgotten one has no fields. read_at: UTC, ISO 8601; "" for an error.
    """

    page: FormPage
    generation: Generation
    judged: Mapping[str, Judged] = field(default_factory=dict)
    duplicate_of: str | None = None
    forgotten: bool = False
    read_at: str = ""

    @property
    def place(self) -> str:
        """`SOURCE#PAGE`."""
        return place_of(self.page.source, self.page.page_number)

    @property
    def corrections(self) -> Mapping[str, str]:
        """The values that a person stands for, by the name of the field."""
        return {name: said.value for name, said in self.judged.items() if said.kind in ("accepted", "corrected")}

    @property
    def status(self) -> PageStatus:
        """`read` if nobody needs to look at it, `error` if it could not be opened, `review` otherwise."""
        if self.page.error is not None:
            return "error"
        if self.duplicate_of is not None or self.forgotten:
            return "read"
        corrections = self.corrections
        open_fields = [one for one in self.page.fields if one.name not in corrections]
        if self.page.template is None or self.page.registration is None:
            return "review"
        if self.page.registration.status != "ok" and (open_fields or not self.page.fields):
            return "review"
        required = self.generation.required(self.page.template)
        doubtful = (
            one.status == "review" or one.name in self.judged or (one.status == "empty" and one.name in required)
            for one in open_fields
        )
        return "review" if any(doubtful) else "read"

    @property
    def status_as_read(self) -> PageStatus:
        """Its status before anybody judged its values."""
        return replace(self, judged={}).status


class Copies:
    """Which pages came before: a page that shows the same is a copy, in whatever file it lies."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def is_first(self, sha256: str, place: str) -> bool:
        """Whether no page before showed this, which it does from now on."""
        return self._first.setdefault(sha256, place) == place

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

    values: those that a person may be shown. A worker makes it, so that the process that keeps the ledger need not.
    """

    number: int
    sha256: str
    content: str
    ms: float
    error: str | None = None
    values: tuple[ReviewValue, ...] = ()

    @classmethod
    def of(cls, page: FormPage) -> StoredPage:
        """A page as it is stored."""
        content = {name: value for name, value in _plain(page).items() if name not in ("source", "page_number", "ms")}
        text = json.dumps(content, default=_plain, separators=(",", ":"))
        return cls(
            number=page.page_number,
            sha256=page.sha256,
            content=text,
            ms=page.ms,
            error=page.error,
            values=review_values(page),
        )


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
