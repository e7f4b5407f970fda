"""Image files made by hand, byte by byte where OpenCV has no way to write what a scanner writes."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np

# 16x8 CMYK: the left half black, the right half white.
CMYK_JPEG = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwANCQoLCggNCwoLDg4NDxMgFRMSEhMnHB4XIC4pMTAuKS0sMzpKPjM2RjcsLUBXQUZMTlJTUjI+WmFaUGBKUVJP/8AAFAgACAAQBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAcACP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAOBEMATQBZAEsAAD8ATicThgkmnX//2Q=="
)


def picture(height: int = 60, width: int = 100) -> np.ndarray:
    """Grey, white, with a black block in the upper left corner: which way is up can be seen."""
    pixels = np.full((height, width), 255, np.uint8)
    pixels[4 : height // 3, 4 : width // 4] = 0
    return pixels


def encoded(suffix: str, pixels: np.ndarray, *options: int) -> bytes:
    good, content = cv2.imencode(suffix, pixels, list(options))
    assert good
    return content.tobytes()


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, rows: bytes, *, depth: int = 8, color: int = 0, extra: bytes = b"") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of some kilobytes that decodes to 900 megapixels."""
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(1 + width // 8)) for _ in range(height)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def fax(pixels: np.ndarray) -> bytes:
    """A TIFF of one bit a pixel in which 0 is white, as fax machines write it."""
    height, width = pixels.shape
    rows = np.packbits(pixels == 0, axis=1).tobytes()
    tags = (
        (256, width),
        (257, height),
        (258, 1),
        (259, 1),
        (262, 0),
        (273, 8),
        (277, 1),
        (278, height),
        (279, len(rows)),
    )
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    start = 8 + len(rows) + len(rows) % 2
    body = rows + bytes(len(rows) % 2)
    return b"II*\0" + struct.pack("<I", start) + body + struct.pack("<H", len(tags)) + entries + bytes(4)


def exif(orientation: int) -> bytes:
    """A bare EXIF block with nothing but an orientation."""
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


def turned_jpeg(pixels: np.ndarray, orientation: int) -> bytes:
    block = b"Exif\0\0" + exif(orientation)
    content = encoded(".jpg", pixels)
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + content[2:]


def turned_png(pixels: np.ndarray, orientation: int) -> bytes:
    """With an alpha channel, so that the turning is ours."""
    rgba = np.dstack([pixels] * 3 + [np.full_like(pixels, 255)])
    content = encoded(".png", rgba)
    return content[:33] + chunk(b"eXIf", exif(orientation)) + content[33:]


def as_stored(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Upright pixels as a camera held that way stores them."""
    upside = {1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1]}
    turned = {5: pixels.T, 6: np.rot90(pixels), 7: np.rot90(pixels, 2).T, 8: np.rot90(pixels, -1)}
    return np.ascontiguousarray({**upside, **turned}[orientation])


def pdf(*pages_pt: tuple[float, float]) -> bytes:
    """A PDF with one black square, 20 pt wide and 20 pt from the lower left corner, on each page of the given size."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>"]
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in range(len(pages_pt)))
    objects.append(f"<</Type/Pages/Kids[{kids}]/Count {len(pages_pt)}>>".encode())
    for number, (width, height) in enumerate(pages_pt):
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents {4 + 2 * number} 0 R>>".encode()
        )
        objects.append(b"<</Length 21>>stream\n0 g 20 20 20 20 re f\nendstream")
    return _pdf_of(objects)


def scanned_pdf(
    pixels: np.ndarray, size_pt: tuple[float, float], *, rotate: int = 0, more: bytes = b"", strips: int = 1
) -> bytes:
    """A PDF page of a size whose picture is a JPEG of pixels, in strips below each other; more is drawn on top."""
    wide, high = size_pt
    colours = "DeviceGray" if pixels.ndim == 2 else "DeviceRGB"
    parts = [encoded(".jpg", part, cv2.IMWRITE_JPEG_QUALITY, 95) for part in np.array_split(pixels, strips)]
    names = "".join(f"/I{n} {5 + n} 0 R" for n in range(strips))
    step = high / strips
    drawn = "".join(f"q {wide} 0 0 {step} 0 {high - (n + 1) * step} cm /I{n} Do Q " for n in range(strips)).encode()
    drawn += more
    page = (
        f"<</Type/Page/Parent 2 0 R/Rotate {rotate}/MediaBox[0 0 {wide} {high}]/Contents 4 0 R"
        f"/Resources<</XObject<<{names}>>/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
    )
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        page.encode(),
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
    ]
    for part, rows in zip(parts, np.array_split(pixels, strips), strict=True):
        about = (
            f"<</Type/XObject/Subtype/Image/Width {rows.shape[1]}/Height {rows.shape[0]}/ColorSpace/{colours}"
            f"/BitsPerComponent 8/Filter/DCTDecode/Length {len(part)}>>stream\n"
        )
        bodies.append(about.encode() + part + b"\nendstream")
    return _pdf_of(bodies)


def _pdf_of(bodies: list[bytes]) -> bytes:
    """A PDF of these objects, the first its catalogue."""
    content = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(bodies, 1):
        places.append(len(content))
        content += b"%d 0 obj" % number + body + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        content
        + b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
        + table
        + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(bodies) + 1, len(content))
    )
