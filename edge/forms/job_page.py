"""A page of a job as tables have it: what was read, what a person made of it, and whether it is a second copy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, TypeAlias

from edge.forms.generation import Generation
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


def page_to_json(page: FormPage) -> str:
    """All of a page but where it stands, as the ledger stores it."""
    content = asdict(page)
    for key in ("source", "page_number", "ms"):
        del content[key]
    return json.dumps(content, separators=(",", ":"))


def page_from_json(text: str, *, source: str, page_number: int, ms: float) -> FormPage:
    """The page that page_to_json made text of, at another place."""
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


def _known(kind: type[Any], raw: dict[str, Any]) -> dict[str, Any]:
    """Of raw what the class knows: a later version may have stored more."""
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in raw.items() if name in names}
