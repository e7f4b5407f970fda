"""The directories of a TIFF or BigTIFF, read without decoding: how many pages, how large, and are they all there.

TIFF 6.0 (Adobe, 1992) and the BigTIFF extension.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TypeAlias

from edge.errors import SourceError
from edge.sources.headers import TRUNCATED, Content, Header

Directory: TypeAlias = dict[int, tuple[int, ...]]

_WIDTH, _HEIGHT, _EXTRA_SAMPLES = 256, 257, 338
_OFFSETS_AND_COUNTS = ((273, 279), (324, 325))  # strips, tiles
_FORMATS = {1: "B", 2: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_WANTED = {_WIDTH, _HEIGHT, 274, _EXTRA_SAMPLES, 273, 279, 324, 325}


def tiff_pages(content: Content) -> Iterator[Header]:
    """Header of every page, in order, lazily; OpenCV decodes page n of the same order.

    Raises SourceError at the page whose directory or pixels reach past the end of the file.
    """
    for directory in read_directories(content):
        for offsets, counts in _OFFSETS_AND_COUNTS:
            pieces = zip(directory.get(offsets, ()), directory.get(counts, ()), strict=False)
            if any(offset + count > len(content) for offset, count in pieces):
                raise SourceError(TRUNCATED)
        yield Header(
            kind="tiff",
            width=directory.get(_WIDTH, (0,))[0],
            height=directory.get(_HEIGHT, (0,))[0],
            alpha=_EXTRA_SAMPLES in directory,
        )


def read_directories(content: Content) -> Iterator[Directory]:
    """Integer tags that matter here of each image file directory, as {tag: values}; raises SourceError if damaged."""
    order = "<" if content[:2] == b"II" else ">"
    try:
        (version,) = struct.unpack_from(order + "H", content, 2)
        big = version == 43
        # (offset of the first directory, format of counts and offsets, length of an entry)
        word, number, entry_size = ("Q", "Q", 20) if big else ("I", "H", 12)
        (position,) = struct.unpack_from(order + word, content, 8 if big else 4)
        seen: set[int] = set()
        while position:
            if position in seen:
                raise SourceError("the TIFF is damaged: its pages form a loop; save it again")
            seen.add(position)
            (entries,) = struct.unpack_from(order + number, content, position)
            start = position + struct.calcsize(order + number)
            yield dict(_entries(content, order + "HH" + word, range(start, start + entries * entry_size, entry_size)))
            (position,) = struct.unpack_from(order + word, content, start + entries * entry_size)
    except struct.error as error:
        raise SourceError(TRUNCATED) from error


def _entries(content: Content, entry: str, places: range) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Tag and values of the wanted entries at places; entry is the format of (tag, type, count), byte order first."""
    order, word = entry[0], entry[-1]
    word_size = struct.calcsize(order + word)
    for at in places:
        tag, kind, count = struct.unpack_from(entry, content, at)
        if tag not in _WANTED or kind not in _FORMATS:
            continue
        size = struct.calcsize(order + _FORMATS[kind]) * count
        place = at + 4 + word_size
        if size > word_size:
            (place,) = struct.unpack_from(order + word, content, place)
        if place + size > len(content):  # also keeps an absurd count from building an absurd format
            raise SourceError(TRUNCATED)
        values = struct.unpack_from(f"{order}{count}{_FORMATS[kind]}", content, place)
        if values:
            yield tag, values
