"""What an image file says of itself before a pixel is decoded: kind, size, alpha, orientation, and whether it is whole.

Sizes are known here first so that a decompression bomb is refused before anything is allocated, and so that a cut-off
file is an error instead of half a picture. Formats as their specifications have them: PNG (ISO 15948), JPEG (T.81),
TIFF 6.0 and BigTIFF, WebP (RFC 9649), GIF89a, BMP (BITMAPINFOHEADER and OS/2), Netpbm.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import Literal, TypeAlias

from edge.errors import SourceError

Content: TypeAlias = bytes | mmap
Kind: TypeAlias = Literal["png", "jpeg", "tiff", "webp", "gif", "bmp", "pnm", "pdf"]

TRUNCATED = "the file is cut off; copy or scan it again"
ORIENTATION_TAG = 274
_SIGNATURES: tuple[tuple[bytes, Kind], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"%PDF-", "pdf"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One picture of a file: kind, size in pixels, whether it has alpha, EXIF orientation 1 to 8."""

    kind: Kind
    width: int
    height: int
    alpha: bool = False
    orientation: int = 1

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise SourceError(f"the image has no pixels ({self.width}x{self.height}); save it again")


def find_kind(start: bytes) -> Kind:
    """The format by the file's first bytes (16 are enough; 1024 for PDF with junk before it), never by its name.

    Raises SourceError for an empty file, a format known but not read, and anything else.
    """
    if not start:
        raise SourceError("the file is empty; copy or scan it again")
    for signature, kind in _SIGNATURES:
        if start.startswith(signature):
            return kind
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "webp"
    if start[:1] == b"P" and start[1:2] in b"123456" and start[2:3].isspace():
        return "pnm"
    if start[4:8] == b"ftyp":
        raise SourceError("HEIC and AVIF pictures are not read; save it as JPEG or PNG")
    if b"%PDF-" in start[:1024]:
        return "pdf"
    raise SourceError("this is not an image, TIFF or PDF, whatever its name says; give a photo or a scan")


def read_header(kind: Kind, content: Content) -> Header:
    """Header of a one-picture file (all kinds but tiff and pdf).

    Raises SourceError when the file is cut off, damaged where that can be told, or has no pixels.
    """
    try:
        return _PARSERS[kind](content)
    except (struct.error, IndexError) as error:
        raise SourceError(TRUNCATED) from error


def png_chunks(content: Content) -> Iterator[tuple[bytes, int, int]]:
    """(type, start, end) of every chunk of a PNG up to IEND, start and end of the whole chunk."""
    position = 8
    while True:
        length, name = struct.unpack_from(">I4s", content, position)
        end = position + 12 + length
        if end > len(content):
            raise SourceError(TRUNCATED)
        yield name, position, end
        if name == b"IEND":
            return
        position = end


def _read_png(content: Content) -> Header:
    width, height, _depth, color = struct.unpack_from(">IIBB", content, 16)
    alpha, orientation, data = color in (4, 6), 1, 0
    for name, start, end in png_chunks(content):
        if zlib.crc32(content[start + 4 : end - 4]).to_bytes(4, "big") != content[end - 4 : end]:
            raise SourceError("the PNG is damaged (a checksum is wrong); copy or scan it again")
        if name == b"tRNS":
            alpha = True
        elif name == b"eXIf":
            orientation = exif_orientation(content[start + 8 : end - 4])
        elif name == b"IDAT":
            data += end - start
    if not data:
        raise SourceError(TRUNCATED)
    return Header(kind="png", width=width, height=height, alpha=alpha, orientation=orientation)


def _read_jpeg(content: Content) -> Header:
    position, size = 2, (0, 0)
    while True:
        while content[position] == 0xFF and content[position + 1] == 0xFF:  # fill bytes
            position += 1
        marker, code = content[position], content[position + 1]
        if marker != 0xFF:
            raise SourceError("the JPEG is damaged; copy or scan it again")
        if code in (0xD9, 0xDA):
            break
        if code == 0x01 or 0xD0 <= code <= 0xD8:  # markers without a length
            position += 2
            continue
        (length,) = struct.unpack_from(">H", content, position + 2)
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", content, position + 5)
            size = (width, height)
        position += 2 + length
    # Entropy-coded bytes never hold FF D9 (FF is stuffed), so its absence after the scan began means a cut-off file.
    if content.rfind(b"\xff\xd9", position) < 0:  # it is mostly the last thing
        raise SourceError(TRUNCATED)
    return Header(kind="jpeg", width=size[0], height=size[1])


def _read_webp(content: Content) -> Header:
    (length,) = struct.unpack_from("<I", content, 4)
    if length + 8 > len(content):
        raise SourceError(TRUNCATED)
    name, position, orientation = bytes(content[12:16]), 12, 1
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return Header(kind="webp", width=width & 0x3FFF, height=height & 0x3FFF)
    if name == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return Header(
            kind="webp", width=(bits & 0x3FFF) + 1, height=(bits >> 14 & 0x3FFF) + 1, alpha=bool(bits >> 28 & 1)
        )
    while position + 8 <= length:
        (size,) = struct.unpack_from("<I", content, position + 4)
        if content[position : position + 4] == b"EXIF":
            orientation = exif_orientation(content[position + 8 : position + 8 + size].removeprefix(b"Exif\0\0"))
        position += 8 + size + size % 2
    width = int.from_bytes(content[24:27], "little") + 1
    height = int.from_bytes(content[27:30], "little") + 1
    return Header(kind="webp", width=width, height=height, alpha=bool(content[20] & 0x10), orientation=orientation)


def _read_gif(content: Content) -> Header:
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    position = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while content[position] == 0x21:  # extensions before the first picture
        position += 2
        while content[position]:
            position += content[position] + 1
        position += 1
    if content[position] != 0x2C:
        raise SourceError("the GIF holds no picture; save it again")
    # The first picture may be larger than the screen it claims; both count against the limit.
    inner_width, inner_height = struct.unpack_from("<HH", content, position + 5)
    return Header(kind="gif", width=max(width, inner_width), height=max(height, inner_height))


def _read_bmp(content: Content) -> Header:
    (size,) = struct.unpack_from("<I", content, 14)
    if size == 12:
        width, height = struct.unpack_from("<HH", content, 18)
    else:
        width, height = struct.unpack_from("<ii", content, 18)
    return Header(kind="bmp", width=abs(width), height=abs(height))


def _read_pnm(content: Content) -> Header:
    numbers: list[int] = []
    position = 2
    while len(numbers) < 2:
        if content[position : position + 1] == b"#":
            position = content.find(b"\n", position) + 1
            if not position:
                raise SourceError(TRUNCATED)
        elif bytes(content[position : position + 1]).isspace():
            position += 1
        else:
            end = position
            while bytes(content[end : end + 1]).isdigit():
                end += 1
            if not 0 < end - position < 10:
                raise SourceError("the PBM, PGM or PPM header is damaged or cut off; save it again")
            numbers.append(int(content[position:end]))
            position = end
    return Header(kind="pnm", width=numbers[0], height=numbers[1])


_PARSERS = {
    "png": _read_png,
    "jpeg": _read_jpeg,
    "webp": _read_webp,
    "gif": _read_gif,
    "bmp": _read_bmp,
    "pnm": _read_pnm,
}


def exif_orientation(exif: bytes) -> int:
    """EXIF orientation 1 to 8 of a bare EXIF block (which is a small TIFF); 1 when it has none or is damaged."""
    from edge.sources.tiff import read_directories

    try:
        for directory in read_directories(exif):
            value = directory.get(ORIENTATION_TAG, (1,))[0]
            return value if 1 <= value <= 8 else 1
    except SourceError:
        pass
    return 1
