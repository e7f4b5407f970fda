"""Check digits by name: the modules of python-stdnum (the extra `forms`), and nothing but those."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from edge.errors import UsageError

Check: TypeAlias = Callable[[str], bool]

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,2}")


def load_check(name: str) -> Check:
    """The test of a python-stdnum module (`luhn`, `verhoeff`, `iso7064.mod_97_10`): True for a text that is valid.

    Raises UsageError if there is no such module, it does not check a text on its own, or python-stdnum is absent. Only
    files of that package are ever imported, whatever the name says.
    """
    folder = _folder()
    place = folder.joinpath(*name.split(".")) if _NAME.fullmatch(name) else None
    if place is None or not (place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()):
        raise UsageError(f"there is no checksum {name!r}; name a python-stdnum module such as {', '.join(_EXAMPLES)}")
    module = importlib.import_module(f"stdnum.{name}")
    if not callable(getattr(module, "validate", None)):
        raise UsageError(f"python-stdnum's {name!r} checks no numbers; name a module such as {', '.join(_EXAMPLES)}")

    def holds(text: str) -> bool:
        return _is_valid(module, text)

    holds("0")  # a module that wants more than a text says so here, not on the thousandth page
    return holds


_EXAMPLES = ("luhn", "verhoeff", "damm", "iso7064.mod_97_10")


def _is_valid(module: Any, text: str) -> bool:
    """Not the module's own is_valid: some of those miss the errors of int() and of lookups, and all are this."""
    try:
        module.validate(text)
    except TypeError as error:
        raise UsageError(f"python-stdnum's {module.__name__} needs more than a number: {error}") from error
    except Exception:  # ValidationError, and whatever a module lets through for a text of the wrong shape
        return False
    return True


def _folder() -> Path:
    try:
        import stdnum
    except ModuleNotFoundError as error:
        if error.name != "stdnum":
            raise
        raise UsageError("a check needs python-stdnum: pip install 'inkedge[forms]'") from error
    return Path(stdnum.__file__).parent
