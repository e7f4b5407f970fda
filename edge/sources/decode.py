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
_LEAN_FLAGS = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}
_NEEDED_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf", b"IEND"}


def check_size(width: float, height: float, max_megapixels: float) -> None:
    """Raise SourceError if width × height pixels are more than the limit."""
    if width * height > max_megapixels * 1e6:
        raise SourceError(
            f"{width:.0f}x{height:.0f} pixels are more than the limit of {max_megapixels:g} megapixels; "
            "scan it smaller, or raise --max-megapixels"
        )


def decode_lean(header: Header, content: Content, *, least_px: int) -> tuple[Image, tuple[int, int]]:
    """A grey picture (H, W) of a JPEG, its longer side least_px or more if it has as much, and its own (width, height).

    A JPEG's blocks are turned into 1/2, 1/4 or 1/8 of their pixels in a part of the time (T.81, scaled inverse DCT).
    EXIF orientation is applied to both. Raises SourceError if it does not decode. Other kinds are a ValueError.
    """
    if header.kind != "jpeg":
        raise ValueError(f"only a JPEG can be decoded lean, not {header.kind}")
    longer = max(header.width, header.height)
    shrink = next((n for n in (8, 4, 2) if longer >= n * least_px), 1)
    pixels = _decode(np.frombuffer(content, np.uint8), _LEAN_FLAGS[shrink])
    if pixels.ndim != 2 or pixels.dtype != np.uint8:
        raise SourceError(DAMAGED)
    # OpenCV has turned it upright; a turn by a quarter shows in the shape.
    upright = (-(-header.height // shrink), -(-header.width // shrink)) == pixels.shape
    size = (header.width, header.height) if upright else (header.height, header.width)
    return cast(Image, pixels), size


def decode_image(header: Header, content: Content, *, index: int = 0) -> Image:
    """Pixels (H, W) grey or (H, W, 3) BGR uint8 of picture `index` (TIFF pages count from 0), EXIF orientation applied.

    16 bits are scaled to 8, alpha is laid on white, CMYK and palettes become BGR. Raises SourceError if it does not
    decode. The size must have been checked before.
    """
    # UNCHANGED alone keeps alpha, and then OpenCV leaves the orientation to us (but for TIFF, where it turns always).
    flags = cv2.IMREAD_UNCHANGED if header.alpha else cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
    raw = np.frombuffer(_plain_png(content) if header.kind == "png" else content, np.uint8)
    pixels = _to_bytes(_decode(raw, flags, index if header.kind == "tiff" else None))
    if pixels.ndim == 3:
        pixels = _to_grey_or_bgr(pixels)
    turned = header.alpha and header.kind != "tiff"
    return turn_upright(pixels, header.orientation) if turned else pixels


def _decode(raw: npt.NDArray[np.uint8], flags: int, tiff_page: int | None = None) -> npt.NDArray[np.generic]:
    """What OpenCV makes of a file. Raises SourceError if nothing."""
    quiet_opencv()
    decoded: npt.NDArray[np.generic] | None = None
    try:
        if tiff_page is None:
            decoded = cv2.imdecode(raw, flags)
        else:
            _good, pages = cv2.imdecodemulti(raw, flags, range=(tiff_page, tiff_page + 1))
            decoded = pages[0] if pages else None
    except cv2.error as error:
        raise SourceError(DAMAGED) from error
    if decoded is None or not decoded.size:
        raise SourceError(DAMAGED)
    return np.asarray(decoded)


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
