"""Photograph-like scenes of handwritten notes, and the truth about every line on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from edge.sources.writing import Matrix, Points, project
from edge.values import Image
from tests.scenes import things
from tests.scenes.camera import look, photograph
from tests.scenes.hand import Soft, Writer, pick_writer, write_line
from tests.scenes.letters import SMALL
from tests.scenes.sheet import Sheet, draw_sheet
from tests.scenes.surfaces import Photo, background, cloud

_SIZES = ((640, 480), (480, 640), (800, 600), (1280, 720), (1280, 960), (960, 1280), (1600, 1200), (1200, 1600),
          (2048, 1536), (4000, 3000), (3000, 4000))  # fmt: skip
_OFTEN = (0.2, 0.08, 0.1, 0.12, 0.14, 0.12, 0.09, 0.06, 0.05, 0.02, 0.02)
_LEAST_PX = 14.0  # lower digits than this are not asked for
_UNITS = ("kg", "m", "cm", "km", "ml", "x", "h", "mm", "min", "%")
_MARGIN = 0.012  # of the picture: writing stays inside


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteLine:
    """One line of writing: its digits, all that is written, its corners in the picture (top left first, clockwise)."""

    text: str
    written: str
    quad: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Note:
    """A photo of a note: pixels (H, W, 3) BGR uint8; the lines that hold digits, top to bottom; the digits' height."""

    pixels: Image
    lines: tuple[NoteLine, ...]
    digit_px: float


def draw_note(seed: int, size: tuple[int, int] | None = None) -> Note:
    """The note with this number; size (width, height) in pixels is drawn at random if not given."""
    for attempt in range(60):
        note = _try_note(np.random.default_rng((seed, attempt)), size)
        if note is not None:
            return note
    raise ValueError(f"note {seed}: its writing found no room in the picture")


def draw_notes(first_seed: int, count: int) -> Iterator[Note]:
    """`count` notes with the seeds from first_seed on."""
    return (draw_note(seed) for seed in range(first_seed, first_seed + count))


def _try_note(rng: np.random.Generator, size: tuple[int, int] | None) -> Note | None:
    """A note, or None if its writing does not fit into the picture."""
    width, height = size or _SIZES[rng.choice(len(_SIZES), p=_OFTEN)]
    longest = max(width, height)
    tall = max(_LEAST_PX, longest * np.exp(rng.uniform(np.log(0.018), np.log(0.075))))
    writer = pick_writer(rng, tall)
    pitch = tall * rng.uniform(1.35, 2.6)
    texts = pick_texts(rng, most=int(np.clip(0.75 * height / pitch, 1, 8)), wide=0.85 * width / tall)
    lines = [write_line(rng, writer, text) for text in texts]
    widest = max(ink.shape[1] for ink, _ in lines)
    if widest > 0.95 * longest:
        return None
    near = rng.random() < 0.45  # so near that the sheet fills the picture
    left, top, right, bottom = tall * rng.uniform((0.8, 0.8, 0.8, 0.8), (5, 5, 8, 8)) * (3 if near else 1)
    shape = (round(top + pitch * (len(texts) - 1) + 2.2 * tall + bottom), round(left + 1.15 * widest + right))
    if max(shape) > 2.4 * longest:
        return None
    first = top + 1.3 * tall
    sheet = draw_sheet(rng, shape, pitch, first, (round(first - 1.3 * tall), round(shape[0] - bottom - 0.4 * tall)))
    quads = _write(rng, sheet, writer, lines, (left, first), pitch)
    corners = np.concatenate(quads)
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    view = look(rng, (width, height), (float(middle[0]), float(middle[1])), steep=rng.random() < 0.25)
    seen = project(view, corners)
    inside = np.array((width, height)) * (1 - _MARGIN)
    if (seen < inside * _MARGIN).any() or (seen > inside).any():
        return None
    scene = _compose(rng, sheet, view, (width, height), tall, seen)
    truth = [
        NoteLine(text=digits, written=text, quad=tuple((float(x), float(y)) for x, y in project(view, quad)))
        for text, quad in zip(texts, quads, strict=True)
        if (digits := "".join(filter(str.isdigit, text)))
    ]
    return Note(pixels=photograph(rng, scene, tall), lines=tuple(truth), digit_px=float(tall)) if truth else None


def _write(
    rng: np.random.Generator,
    sheet: Sheet,
    writer: Writer,
    lines: list[tuple[Soft, float]],
    start: tuple[float, float],
    pitch: float,
) -> list[Points]:
    """Write lines onto the sheet, in place; the corners of each on the sheet."""
    quads: list[Points] = []
    indent = 0.0 if rng.random() < 0.6 else 1.0
    for place, (drawn, base) in enumerate(lines):
        left = round(start[0] + indent * rng.uniform(0, 0.12) * drawn.shape[1])
        top = round(start[1] + place * pitch - base - rng.uniform(0, 0.08) * writer.height_px)
        from_row, to_row = max(0, -top), min(drawn.shape[0], sheet.pixels.shape[0] - top)
        ink = drawn[from_row:to_row, : sheet.pixels.shape[1] - left]
        place_on = sheet.pixels[top + from_row : top + to_row, left : left + ink.shape[1]]
        uneven = 1 - writer.grain * np.clip(0.35 + 0.5 * cloud(rng, ink.shape, 2.2, 2), 0, 1)
        uneven *= 1 - 0.2 * writer.grain * np.clip(cloud(rng, ink.shape, 6 * writer.height_px, 2), 0, 1)
        place_on *= 1 - (ink * uneven)[..., None] * (1 - writer.color)
        # Where ink is: a line's picture has room for tails that few lines use.
        rows = np.flatnonzero(ink.max(axis=1) > 0.05)
        upper, lower = top + from_row + rows[0], top + from_row + rows[-1] + 1
        right = left + ink.shape[1]
        quads.append(np.array([(left, upper), (right, upper), (right, lower), (left, lower)], np.float64))
    return quads


def _compose(
    rng: np.random.Generator, sheet: Sheet, view: Matrix, size: tuple[int, int], tall: float, seen: Points
) -> Photo:
    """The sheet on a table, with what lies about and holds it, in its light; seen (n, 2) are corners of the writing."""
    width, height = size
    # A lens focussed on the sheet does not show a table finer than this.
    coarse = max(1.0, max(size) / 1600)
    small = (round(height / coarse), round(width / coarse))
    scene = background(rng, small)
    things.lay_things(rng, scene, small[1] * rng.uniform(0.018, 0.035))
    scene *= things.mottle(rng, small)[..., None]
    if coarse > 1:
        scene = cv2.resize(scene, size, interpolation=cv2.INTER_CUBIC)
    cover = cv2.warpPerspective(sheet.cover, view, size, flags=cv2.INTER_LINEAR)
    shadow = cv2.GaussianBlur(np.roll(cover, (round(0.1 * tall), round(0.08 * tall)), (0, 1)), (0, 0), 0.25 * tall)
    scene *= 1 - 0.4 * shadow[..., None]
    paper = cv2.warpPerspective(sheet.pixels, view, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    scene += cover[..., None] * (paper - scene)
    if rng.random() < 0.3:
        _hold(rng, scene, sheet, view, seen, float(np.clip(1.3 * tall, 0.025 * width, 0.05 * width)))
    scene *= things.light(rng, (height, width))[..., None]
    return np.asarray(np.clip(scene, 0, 400), np.float32)


def _hold(rng: np.random.Generator, scene: Photo, sheet: Sheet, view: Matrix, seen: Points, scale: float) -> None:
    """Fingers on the sheet's edge, far from the writing; none if the edges lie outside the picture or near it."""
    height, width = sheet.cover.shape
    hull = cv2.convexHull(seen.astype(np.float32))
    middle = project(view, np.array([[width / 2, height / 2]]))[0]
    for _ in range(12):
        at = rng.uniform(0.15, 0.85)
        spot = ((0, at * height), (width, at * height), (at * width, height))[rng.integers(3)]
        edge = project(view, np.array([spot], np.float64))[0]
        if (
            cv2.pointPolygonTest(hull, (float(edge[0]), float(edge[1])), True) < -5.5 * scale
            and ((edge > 0) & (edge < scene.shape[1::-1])).all()
        ):
            inward = (middle - edge) / np.linalg.norm(middle - edge)
            things.hold(rng, scene, edge, inward, scale)
            return


def pick_texts(rng: np.random.Generator, most: int, wide: float) -> list[str]:
    """The lines of one note, 1 to `most`, each at most about `wide` digit heights long."""
    kind = rng.choice(("numbers", "list", "prices", "sums", "mixed"), p=(0.45, 0.17, 0.13, 0.07, 0.18))
    count = int(rng.integers(1, most + 1))
    texts: list[str] = []
    while len(texts) < count:
        text = _text(rng, str(kind))
        for _ in range(20):
            if 0.75 * len(text) + 1.0 * text.count(" ") <= wide:
                break
            text = _text(rng, "numbers" if wide < 6 else str(kind))
        else:
            text = _number(rng, max(1, int(wide / 1.0)))
        texts.append(text)
    return texts


def _number(rng: np.random.Generator, most: int = 12) -> str:
    count = int(min(most, rng.choice(12, p=np.array((5, 12, 14, 16, 13, 12, 8, 7, 4, 4, 3, 2)) / 100) + 1))
    return "".join(map(str, rng.integers(0, 10, count)))


def _word(rng: np.random.Generator) -> str:
    letters = "".join(rng.choice(SMALL, int(rng.integers(2, 8))))
    return letters if rng.random() < 0.7 else rng.choice(list("ABEFHKLMNPRTW")) + letters


def _price(rng: np.random.Generator) -> str:
    sign = str(rng.choice(("", "", " €", "€", " $")))
    value = f"{rng.integers(0, 1000)}{rng.choice((',', '.', ','))}{rng.integers(0, 100):02d}"
    return f"{sign.strip()}~{value}" if sign == "€" else value + sign.replace(" ", "~")


def _text(rng: np.random.Generator, kind: str) -> str:
    """One line; "~" is a narrow gap, a blank a wide one."""
    number = _number(rng)
    if kind == "numbers":
        return number if rng.random() < 0.8 else f"{_number(rng, 4)} {_number(rng, 5)}"
    if kind == "list":
        return (
            f"{_word(rng)} {_number(rng, 4)}"
            if rng.random() < 0.6
            else f"{_number(rng, 3)}~{rng.choice(_UNITS)} {_word(rng)}"
        )
    if kind == "prices":
        return _price(rng) if rng.random() < 0.6 else f"{_word(rng)} {_price(rng)}"
    if kind == "sums":
        return f"{_number(rng, 4)} {rng.choice(('+', '-', '×', '='))} {_number(rng, 3)}"
    forms = (
        number,
        f"-~{_number(rng, 4)}",
        f"{_number(rng, 5)}~{rng.choice(_UNITS)}",
        f"{rng.integers(1, 29)}.{rng.integers(1, 13)}.{rng.integers(1980, 2031)}",
        f"{_word(rng)}:~{number[:6]}",
        _word(rng) + " " + _word(rng),
        f"0{rng.integers(100, 999)} {rng.integers(100, 999)} {rng.integers(10, 99)}",
        f"#~{_number(rng, 5)}",
        f"{_number(rng, 3)}~-~{_number(rng, 3)}",
        f"({_number(rng, 4)})",
        f"+{_number(rng, 3)}",
        f"{_number(rng, 5)} ✓",
    )
    return str(forms[rng.integers(len(forms))])
