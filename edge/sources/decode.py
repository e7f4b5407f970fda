"""Pixels of an image file, decoded once and defensively: 8 bits, upright, on white, grey or BGR."""

from __future__ import annotations

from functools import cache
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import SourceError
from edge.sources.headers import Content, Header, png_chunks
from edge.values import Image

DAMAGED = "the image is damaged and does not decode; copy or scan it again"
_NEEDED_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf", b"IEND"}


def check_size(width: float, height: float, max_megapixels: float) -> None:
    """Raise SourceError if width × height pixels are more than the limit."""
    if width * height > max_megapixels * 1e6:
        raise SourceError(
            f"{width:.0f}x{height:.0f} pixels are more than the limit of {max_megapixels:g} megapixels; "
            "scan it smaller, or raise --max-megapixels"
        )


def decode_image(header: Header, content: Content, *, index: int = 0) -> Image:
    """Pixels (H, W) grey or (H, W, 3) BGR uint8 of picture `index` (TIFF pages count from 0), EXIF orientation applied.

    16 bits are scaled to 8, alpha is laid on white, CMYK and palettes become BGR. Raises SourceError if it does not
    decode. The size must have been checked before.
    """
    quiet_opencv()
    # UNCHANGED alone keeps alpha, and then OpenCV leaves the orientation to us (but for TIFF, where it turns always).
    flags = cv2.IMREAD_UNCHANGED if header.alpha else cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
    raw = np.frombuffer(_plain_png(content) if header.kind == "png" else content, np.uint8)
    decoded: npt.NDArray[np.generic] | None
    try:
        if header.kind == "tiff":
            _good, pages = cv2.imdecodemulti(raw, flags, range=(index, index + 1))
            decoded = pages[0] if pages else None
        else:
            decoded = cv2.imdecode(raw, flags)
    except cv2.error as error:
        raise SourceError(DAMAGED) from error
    if decoded is None or not decoded.size:
        raise SourceError(DAMAGED)
    pixels = _to_bytes(decoded)
    if pixels.ndim == 3:
        pixels = _to_grey_or_bgr(pixels)
    turned = header.alpha and header.kind != "tiff"
    return turn_upright(pixels, header.orientation) if turned else pixels


@cache
def quiet_opencv() -> None:
    """Keep OpenCV's own log off stderr: what it would say there comes as an error of ours."""
    # OpenCV 5 keeps it in utils.logging, OpenCV 4 at the top.
    place = cv2.utils.logging if hasattr(cv2.utils, "logging") else cv2
    place.setLogLevel(0)


def turn_upright(pixels: Image, orientation: int) -> Image:
    """Pixels turned and mirrored as EXIF orientation 1 to 8 asks."""
    if orientation >= 5:
        pixels = cast(Image, cv2.transpose(pixels))
    # After the transposition of 5 to 8, what is left is a mirror or a half turn (EXIF 2.32, tag 274).
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return pixels if flip is None else cast(Image, cv2.flip(pixels, flip))


def _plain_png(content: Content) -> Content:
    """The PNG without chunks that pixels do not need: colour profiles make libpng talk on stderr."""
    chunks = list(png_chunks(content))
    if all(name in _NEEDED_CHUNKS for name, _, _ in chunks):
        return content
    return content[:8] + b"".join(content[start:end] for name, start, end in chunks if name in _NEEDED_CHUNKS)


def _to_bytes(decoded: npt.NDArray[np.generic]) -> Image:
    if decoded.dtype == np.uint8:
        return cast(Image, decoded)
    if decoded.dtype == np.uint16:
        return cast(Image, cv2.convertScaleAbs(cast(npt.NDArray[np.uint16], decoded), alpha=1 / 257))
    raise SourceError(f"its pixels are {decoded.dtype}; save it with 8 or 16 bits a channel")


def _to_grey_or_bgr(pixels: Image) -> Image:
    channels = pixels.shape[2]
    if channels == 1:
        return pixels[:, :, 0]
    if channels == 2:
        return _on_white(pixels[:, :, :1], pixels[:, :, 1])[:, :, 0]
    if channels == 4:
        return _on_white(pixels[:, :, :3], pixels[:, :, 3])
    return pixels


def _on_white(color: Image, alpha: Image) -> Image:
    if alpha.min() == 255:
        return np.ascontiguousarray(color)
    weight = alpha[:, :, None].astype(np.uint16)
    mixed = color * weight + 255 * (255 - weight)  # at most 255 * 255, so uint16 holds it
    return ((mixed + 127) // 255).astype(np.uint8)
