"""What readings depend on: templates, models and threshold. Another of any of them is another generation of results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.forms.template import Template
from edge.inference.manifest import load_model
from edge.inference.shipped import find_model


@dataclass(frozen=True, slots=True, kw_only=True)
class FormOutline:
    """What tables need of a template: the names of all its values in order, and which of them must not be empty."""

    name: str
    version: int
    sha256: str
    columns: tuple[str, ...]
    required: tuple[str, ...]

    @classmethod
    def of(cls, template: Template) -> FormOutline:
        """The outline of a template."""
        slots = [slot for field in template.fields for slot in field.slots()]
        return cls(
            name=template.name,
            version=template.version,
            sha256=template.sha256,
            columns=tuple(slot.name for slot in slots),
            required=tuple(slot.name for slot in slots if slot.field.required),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """Templates in the order of the command line, the identity of each model, the threshold (None: the models' own)."""

    forms: tuple[FormOutline, ...]
    model: str
    strip_model: str
    threshold: float | None = None

    @classmethod
    def of(
        cls,
        templates: Sequence[Template],
        *,
        model: str | Path | None = None,
        strip_model: str | Path | None = None,
        threshold: float | None = None,
    ) -> Generation:
        """The generation of a run. Raises ModelError if a model cannot be used."""
        return cls(
            forms=tuple(FormOutline.of(template) for template in templates),
            model=identity(model, "digit"),
            strip_model=identity(strip_model, "strip"),
            threshold=threshold,
        )

    @property
    def sha256(self) -> str:
        """The identity of the whole, in hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the values of all its forms, each once, in the order of the templates."""
        return tuple(dict.fromkeys(name for form in self.forms for name in form.columns))

    def required(self, form: str) -> tuple[str, ...]:
        """Which values of the form of that name must not be empty."""
        return next((outline.required for outline in self.forms if outline.name == form), ())

    def differences(self, other: Generation) -> tuple[str, ...]:
        """What is not as in the other one, in words."""
        ours = {form.name: form.sha256 for form in self.forms}
        theirs = {form.name: form.sha256 for form in other.forms}
        words = [f"template {name}" for name, sha256 in ours.items() if theirs.get(name) != sha256]
        words += [f"template {name} (gone)" for name in theirs if name not in ours]
        if self.model != other.model:
            words.append("the digit model")
        if self.strip_model != other.strip_model:
            words.append("the strip model")
        if self.threshold != other.threshold:
            words.append("the threshold")
        return tuple(words or ["the order of the templates"])

    def to_json(self) -> str:
        """As the ledger stores it."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Generation:
        """From the ledger."""
        raw: dict[str, Any] = json.loads(text)
        forms = tuple(
            FormOutline(**form | {"columns": tuple(form["columns"]), "required": tuple(form["required"])})
            for form in raw.pop("forms")
        )
        return Generation(forms=forms, **raw)


def identity(model: str | Path | None, task: str) -> str:
    """A hash of all of a model that readings depend on: its file, and what its manifest says of confidence.

    Raises ModelError if it cannot be used.
    """
    manifest, _ = load_model(find_model(model, task=task))
    said = (manifest.sha256, manifest.preprocessing, manifest.temperature, manifest.threshold)
    return hashlib.sha256(repr(said).encode()).hexdigest()
