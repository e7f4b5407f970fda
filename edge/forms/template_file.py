"""From a TOML file to a Template: every rule that a form must keep, checked before a page is read with it."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import cast

from edge.errors import UsageError
from edge.forms.template import Marks, Orientation, Template
from edge.forms.template_fields import check_places, read_fields, read_name
from edge.forms.values import Method
from edge.toml.table import Table, read_toml

_FORM_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_ .-]*[A-Za-z0-9_])?")  # ASCII, for the page code
_SHEET_MM = (20.0, 1_500.0)
_METHODS: tuple[Method, ...] = ("marks", "frame", "reference", "none")
_TURNS: tuple[Orientation, ...] = ("upright", "auto")

_log = logging.getLogger(__name__)


def read_template(path: Path) -> Template:
    """The template in a file. Raises UsageError with file, line and key of every mistake, one a line."""
    top, mistakes = read_toml(path)
    name = read_name(top, _FORM_NAME) or ""
    title, note = top.text("title"), top.text("note")
    page = top.table("page")
    version = page.whole("version", 1, 1, 999_999) or 1
    registration = page.choice("registration", _METHODS)
    size = _size(page)
    orientation = page.choice("orientation", _TURNS, "upright") or "upright"
    reference = _reference(page, registration, path.parent)
    marks = _marks(top, registration, size)
    tables = top.tables("field")
    fields = read_fields(tables, path.parent)
    for table in (page, top):
        table.close()
    if not tables:
        mistakes.add((), "there is no [[field]]; a form needs at least one")
    check_places(fields, size, marks, mistakes)
    mistakes.raise_if_any()
    if registration is None or size is None:  # then there was a mistake
        raise UsageError(f"{path}: cannot be used")
    template = Template(
        name=name,
        version=version,
        registration=registration,
        size_mm=size,
        fields=tuple(fields.values()),
        sha256="",
        orientation=orientation,
        marks=marks,
        reference=reference,
        title=title,
        note=note,
    )
    return _sealed(template)


def _size(page: Table) -> tuple[float, float] | None:
    size = page.lengths("size_mm", ("width", "height"))
    least, most = _SHEET_MM
    if size is not None and not all(least <= side <= most for side in size):
        page.wrong("size_mm", f"each side must be {least:g} to {most:g} mm, not {list(size)}")
        return None
    return cast(tuple[float, float] | None, size)


def _reference(page: Table, registration: Method | None, folder: Path) -> Path | None:
    name = page.text("reference", required=registration == "reference")
    if name is None:
        return None
    if registration != "reference":
        _log.warning('page.reference: has no effect without registration = "reference"')
        return None
    from edge.sources.files import BadPage, read_pages

    file = folder / name
    first = next(read_pages(file), None)
    if first is None or isinstance(first, BadPage):
        page.wrong("reference", f"{file}: {first.message if first else 'it has no pages; name a picture or a PDF'}")
    return file


def _marks(top: Table, registration: Method | None, size: tuple[float, float] | None) -> Marks | None:
    said = top.has("marks")
    table = top.table("marks")
    if registration != "marks":
        if said:
            _log.warning('[marks]: has no effect without registration = "marks"')
        return None
    usual = Marks()
    dictionary = table.text("dictionary") or usual.dictionary
    count = _mark_count(dictionary)
    if count is None:
        table.wrong("dictionary", f"OpenCV has no ArUco dictionary {dictionary!r}; DICT_4X4_50 is the usual one")
    ids = table.wholes("ids", 4, 0, (count or 1_000) - 1) or usual.ids
    if len(set(ids)) < 4:
        table.wrong("ids", f"must be four different ids, or no corner is known from another, not {list(ids)}")
    side = table.number("size_mm", usual.size_mm, 4.0, 50.0, "mm") or usual.size_mm
    inset = table.number("inset_mm", usual.inset_mm, 2.0, 100.0, "mm") or usual.inset_mm
    if size is not None and min(size) < 2 * (inset + side) + side:
        table.wrong("size_mm", f"marks of {side:g} mm, {inset:g} mm from the edges, do not fit {list(size)} mm")
    table.close()
    return Marks(dictionary=dictionary, ids=cast(tuple[int, int, int, int], ids), size_mm=side, inset_mm=inset)


def _mark_count(dictionary: str) -> int | None:
    import cv2

    number = getattr(cv2.aruco, dictionary, None) if re.fullmatch(r"DICT_\w+", dictionary) else None
    return None if number is None else len(cv2.aruco.getPredefinedDictionary(number).bytesList)


def _sealed(template: Template) -> Template:
    """The template with the sha256 of what decides its readings."""
    said = asdict(template)
    for spoken in ("title", "note", "sha256"):
        del said[spoken]
    for field in said["fields"]:
        for spoken in ("label", "column_labels", "row_labels"):
            del field[spoken]
    said["reference"] = None
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    if template.reference is not None:
        digest.update(template.reference.read_bytes())
    return replace(template, sha256=digest.hexdigest())
