"""Pictures made of text, bars and other pictures, put beside and above each other; all (h, w, 3) BGR uint8 on white."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge.values import Image

Color = tuple[int, int, int]

BLACK, GREY, PALE, WHITE = (30, 30, 30), (120, 120, 120), (225, 225, 225), (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_CAP_PX = 22.0  # cap height of the font at scale 1
# OpenCV's letters are thin lines; drawn larger and shrunk they are smooth.
_FINER = 3


def text(words: str, *, px: int = 11, color: Color = BLACK, back: Color = WHITE, bold: bool = False) -> Image:
    """One line of ASCII words with capitals px high; other characters become question marks."""
    plain = words.encode("ascii", "replace").decode()
    scale = _FINER * px / _CAP_PX
    thick = max(1, round(_FINER * px * (0.17 if bold else 0.1)))
    (width, height), below = cv2.getTextSize(plain, _FONT, scale, thick)
    pad = _FINER * 2
    large = np.full((height + below + 2 * pad, width + 2 * pad, 3), back, np.uint8)
    cv2.putText(large, plain, (pad, pad + height), _FONT, scale, color, thick, cv2.LINE_AA)
    size = (max(1, large.shape[1] // _FINER), max(1, large.shape[0] // _FINER))
    return np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA))


def badge(words: str, color: Color, *, px: int = 11) -> Image:
    """White words on a filled rectangle."""
    inside = text(words, px=px, color=WHITE, back=color, bold=True)
    return np.asarray(cv2.copyMakeBorder(inside, 3, 3, 7, 7, cv2.BORDER_CONSTANT, value=color))


def above(pictures: Sequence[Image], *, gap: int = 6) -> Image:
    """Pictures one above the other, flush left, with gaps between."""
    width = max(picture.shape[1] for picture in pictures)
    height = sum(picture.shape[0] for picture in pictures) + gap * (len(pictures) - 1)
    sheet = np.full((height, width, 3), 255, np.uint8)
    y = 0
    for picture in pictures:
        sheet[y : y + picture.shape[0], : picture.shape[1]] = picture
        y += picture.shape[0] + gap
    return sheet


def beside(pictures: Sequence[Image], *, gap: int = 12, middle: bool = False) -> Image:
    """Pictures side by side with gaps between, their tops level, or their middles."""
    height = max(picture.shape[0] for picture in pictures)
    width = sum(picture.shape[1] for picture in pictures) + gap * (len(pictures) - 1)
    sheet = np.full((height, width, 3), 255, np.uint8)
    x = 0
    for picture in pictures:
        y = (height - picture.shape[0]) // 2 if middle else 0
        sheet[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
        x += picture.shape[1] + gap
    return sheet


def wrapped(pictures: Sequence[Image], *, width: int, gap: int = 12) -> Image:
    """Pictures in rows, each at most width wide if its first picture is."""
    rows: list[list[Image]] = [[]]
    used = 0
    for picture in pictures:
        if rows[-1] and used + gap + picture.shape[1] > width:
            rows.append([])
            used = 0
        used += picture.shape[1] + (gap if rows[-1] else 0)
        rows[-1].append(picture)
    return above([beside(row, gap=gap) for row in rows], gap=gap)


def framed(picture: Image, color: Color = PALE, *, px: int = 1) -> Image:
    """The picture with a line around it."""
    return np.asarray(cv2.copyMakeBorder(picture, px, px, px, px, cv2.BORDER_CONSTANT, value=color))


def margin(picture: Image, px: int) -> Image:
    """The picture with white around it."""
    return framed(picture, WHITE, px=px)


def enlarged(picture: Image, factor: float) -> Image:
    """The picture (h, w) or (h, w, 3) times factor: its pixels stay squares when it grows by a whole number."""
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    whole = factor >= 1 and float(factor).is_integer()
    how = cv2.INTER_NEAREST if whole else cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=how))


def on_paper(ink: Image) -> Image:
    """Soft ink (h, w), 0 paper to 255 ink, as dark ink on white paper."""
    return np.asarray(cv2.cvtColor(cv2.bitwise_not(ink), cv2.COLOR_GRAY2BGR))


def bars(shares: Sequence[tuple[str, float]], *, width: int, height: int, best: Color) -> Image:
    """Upright bars of (label, share 0 to 1) over their labels; the largest is coloured, a long label is `-`."""
    step = width / len(shares)
    largest = max(range(len(shares)), key=lambda at: shares[at][1])
    foot = 13
    sheet = np.full((height + foot, width, 3), 255, np.uint8)
    cv2.line(sheet, (0, height), (width, height), PALE, 1)
    for at, (label, share) in enumerate(shares):
        left, right = round(at * step) + 1, round((at + 1) * step) - 2
        full = round(share * (height - 1))
        color = best if at == largest else GREY
        if full:
            cv2.rectangle(sheet, (left, height - full), (right, height - 1), color, cv2.FILLED)
        name = text(label if len(label) == 1 else "-", px=7, color=color, bold=at == largest)
        x, rows = max(0, (left + right - name.shape[1]) // 2 + 1), min(foot - 1, name.shape[0])
        columns = min(name.shape[1], width - x)
        sheet[height + 1 : height + 1 + rows, x : x + columns] = name[:rows, :columns]
    return sheet
