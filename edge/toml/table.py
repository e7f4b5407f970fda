"""A TOML file taken key by key: every value checked, every mistake noted with its line, none hides another."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard, TypeVar

from edge.errors import UsageError
from edge.toml.lines import KeyPath, find_lines

# No settings that a person wrote are larger; a file by mistake is refused before it is parsed.
MOST_BYTES = 1_000_000
# More of them help nobody.
_MOST_SHOWN = 50

Choice = TypeVar("Choice", bound=str | int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """What the command line says of a key, in place of the file: the flag as it was written, the key, the value."""

    name: str
    place: tuple[str, str]
    value: object


class Mistakes:
    """What is wrong with one file, in the order of its lines, and with the flags that go before it."""

    def __init__(self, path: Path | None, lines: dict[KeyPath, int], flags: Sequence[Flag] = ()) -> None:
        self._path = path
        self._lines = lines
        self._flags: dict[KeyPath, str] = {flag.place: flag.name for flag in flags}
        self._found: list[tuple[int, str]] = []

    def add(self, place: KeyPath, cause: str) -> None:
        """Note what is wrong with a key; where the key is missing the line is that of its table."""
        if place in self._flags or self._path is None:
            self._found.append((0, f"{self._flags.get(place) or _name(place)}: {cause}"))
            return
        known = next((place[:end] for end in range(len(place), 0, -1) if place[:end] in self._lines), None)
        line = 1 if known is None else self._lines[known]
        self._found.append(
            (line, f"{self._path}:{line}: {_name(place)}: {cause}" if place else f"{self._path}: {cause}")
        )

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_if_any(self) -> None:
        """Raise UsageError with a line for each mistake."""
        if self._found:
            told = [text for _, text in sorted(self._found, key=lambda one: one[0])]
            rest = [f"… and {len(told) - _MOST_SHOWN} more"] if len(told) > _MOST_SHOWN else []
            raise UsageError("\n".join([*told[:_MOST_SHOWN], *rest]))


class Table:
    """One table of the file. Each method takes a key; a value that is missing or wrong is noted, and None given."""

    def __init__(self, content: dict[str, object], place: KeyPath, mistakes: Mistakes) -> None:
        self.place = place
        self._content = content
        self._mistakes = mistakes
        self._taken: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether the file says anything about the key."""
        return key in self._content

    def wrong(self, key: str, cause: str) -> None:
        """Note what is wrong with one of its keys."""
        self._mistakes.add((*self.place, key), cause)

    def table(self, key: str) -> Table:
        """The table of that name, empty where there is none."""
        value = self._take(key)
        if value is not None and not isinstance(value, dict):
            self.wrong(key, f"must be a table, [{key}], not {_say(value)}")
        return Table(value if isinstance(value, dict) else {}, (*self.place, key), self._mistakes)

    def tables(self, key: str) -> list[Table]:
        """The tables of a list, [[key]]; empty where there is none."""
        value = self._take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.wrong(key, f"must be tables, [[{key}]], not {_say(value)}")
            return []
        return [Table(one, (*self.place, key, index), self._mistakes) for index, one in enumerate(value)]

    def text(self, key: str, *, required: bool = False) -> str | None:
        """A text that is not empty."""
        value = self._take(key, required=required)
        if value is None or (isinstance(value, str) and value.strip()):
            return value
        hint = f'; write "{value}"' if _is_number(value) else ""  # a port, a camera's number
        self.wrong(key, f"must be a text, not {_say(value)}{hint}")
        return None

    def texts(self, key: str, count: int | None = None) -> tuple[str, ...] | None:
        """A list of so many texts, None is any number; None where the file says nothing."""
        value = self._take(key)
        if value is None:
            return None
        good = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if isinstance(value, list) and good and count in (None, len(value)):
            return tuple(value)
        self.wrong(key, f"must be {'a list of' if count is None else count} texts, not {_say(value)}")
        return None

    def choice(self, key: str, options: Sequence[Choice], default: Choice | None = None) -> Choice | None:
        """One of the options; required where there is no default."""
        value = self._take(key, required=default is None)
        for option in options:
            if value == option and type(value) is type(option):
                return option
        if value is not None:
            self.wrong(key, f"must be one of {', '.join(map(str, options))}, not {_say(value)}")
        return default

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong(key, f"must be true or false, not {_say(value)}")
        return value is True

    def whole(self, key: str, default: int | None, least: int, most: int) -> int | None:
        """A whole number from least to most."""
        value = self._take(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.wrong(key, f"must be a whole number from {least} to {most}, not {_say(value)}")
        return None

    def wholes(self, key: str, count: int, least: int, most: int) -> tuple[int, ...] | None:
        """A list of so many whole numbers from least to most; None where the file says nothing."""
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, list) and len(value) == count:
            good = [one for one in value if isinstance(one, int) and not isinstance(one, bool) and least <= one <= most]
            if len(good) == count:
                return tuple(good)
        self.wrong(key, f"must be {count} whole numbers from {least} to {most}, not {_say(value)}")
        return None

    def number(self, key: str, default: float | None, least: float, most: float, unit: str = "") -> float | None:
        """A number from least to most, in that unit."""
        value = self._take(key)
        if value is None:
            return default
        if _is_number(value) and least <= value <= most:
            return float(value)
        self.wrong(key, f"must be {least:g} to {most:g}{unit and ' '}{unit}, not {_say(value)}")
        return None

    def lengths(self, key: str, names: Sequence[str]) -> tuple[float, ...] | None:
        """A length in mm for each of the names; required."""
        value = self._take(key, required=True)
        if value is None:
            return None
        if isinstance(value, list) and len(value) == len(names) and all(_is_number(one) for one in value):
            return tuple(float(one) for one in value)
        self.wrong(key, f"must be [{', '.join(names)}] in mm, not {_say(value)}")
        return None

    def close(self) -> None:
        """Note every key that nobody took."""
        for key in self._content.keys() - self._taken:
            near = difflib.get_close_matches(key, self._taken, n=1, cutoff=0.6)
            self.wrong(key, "unknown key; " + (f"did you mean {near[0]}?" if near else f"known are {self._known()}"))

    def _known(self) -> str:
        return ", ".join(sorted(self._taken))

    def _take(self, key: str, *, required: bool = False) -> object:
        self._taken.add(key)
        value = self._content.get(key)
        if value is None and required:
            self.wrong(key, "is missing; add it")
        return value


def read_toml(path: Path | None, flags: Sequence[Flag] = ()) -> tuple[Table, Mistakes]:
    """The top table of a file (None: an empty one) with the flags in it, and where mistakes are noted.

    Raises UsageError if the file cannot be read, is too large, or is not TOML.
    """
    content, lines = ({}, {}) if path is None else _load(path)
    for flag in flags:
        table = content.setdefault(flag.place[0], {})
        if isinstance(table, dict):  # else a mistake of the file, which will be noted
            table[flag.place[1]] = flag.value
    mistakes = Mistakes(path, lines, flags)
    return Table(content, (), mistakes), mistakes


def _load(path: Path) -> tuple[dict[str, object], dict[KeyPath, int]]:
    try:
        if not path.is_file():
            cause = "is a folder or a device; name a TOML file" if path.exists() else "no such file; check the path"
            raise UsageError(f"{path}: {cause}")
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path}: more than {MOST_BYTES // 1_000_000} MB; this is not a file of settings")
        text = path.read_bytes().decode("utf-8-sig")
        content = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"{path}: cannot be read: {reason}; check its permissions and save it as UTF-8") from error
    except (ValueError, RecursionError) as error:  # ValueError: TOMLDecodeError, and a number of 5,000 digits
        raise UsageError(f"{path}: not TOML: {_first_line(error)}; mend it there") from error
    return content, find_lines(text)


def _first_line(error: ValueError | RecursionError) -> str:
    return "brackets nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0]


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9  # never true of NaN


def _say(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # a hexadecimal number too long for Python to print
        text = "a number without end"
    return text if len(text) <= 60 else text[:57] + "…"


def _name(place: KeyPath) -> str:
    """As a person counts: field 3 is the third."""
    text = ""
    for part in place:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text
