"""The written forms of the ten digits; which and how, and why only those, is told in forms.txt."""

from __future__ import annotations

from train.paths import Form, read_forms

DIGIT_FORMS: tuple[tuple[Form, ...], ...] = tuple(read_forms("forms.txt").values())
