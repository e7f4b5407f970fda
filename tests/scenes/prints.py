"""What a printer puts on paper, without a single figure: lines of letters, logos, faces, photographs, barcodes."""

from __future__ import annotations

import cv2
import numpy as np

from tests.scenes.surfaces import Photo, cloud

_WORDS = ("Notes", "Hotel", "Market", "from the desk of", "Agenda", "BANK", "Rathaus", "Sommer", "Lieferung", "Name",
          "Datum", "Kunde", "PHARMA", "Dr. med. Weber", "natural", "memo", "Bitte wenden", "Thank you", "Kino", "Post",
          "Auto und Reifen", "paper", "Einkaufen", "Water", "Garten", "Musik", "Telefon", "Ferien")  # fmt: skip
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)


def print_letters(rng: np.random.Generator, place: Photo, lines: int | None = None) -> None:
    """Print lines of words into place, in place."""
    height, width = place.shape[:2]
    count = lines or max(1, int(rng.integers(1, 4)))
    font = int(_FONTS[rng.integers(len(_FONTS))])
    depth = (0.25, 0.3, 0.35) if rng.random() < 0.6 else tuple(rng.uniform(0.15, 0.8, 3))
    mask = np.zeros((height, width), np.uint8)
    tall = height / count
    for line in range(count):
        text = " ".join(str(word) for word in rng.choice(_WORDS, int(rng.integers(1, 5))))
        size = tall * rng.uniform(0.35, 0.6) / 30
        across = cv2.getTextSize(text, font, size, 1)[0][0]
        size *= min(1.0, 0.95 * width / across)
        spot = (int(rng.choice((0.0, 0.02, 0.05)) * width), int((line + 0.75) * tall))
        cv2.putText(mask, text, spot, font, size, 255, max(1, round(size * rng.uniform(1, 3))), cv2.LINE_AA)
    place *= 1 - (mask[..., None] / np.float32(255)) * (1 - np.array(depth, np.float32))


def print_picture(rng: np.random.Generator, place: Photo) -> None:
    """Print a logo, a drawn face, a photograph or a barcode into place, in place."""
    height, width = place.shape[:2]
    if min(height, width) < 16:
        return
    kind = rng.integers(4)
    if kind == 0:
        _logo(rng, place)
    elif kind == 1:
        side = min(height, width)
        place[:side, :side] *= draw_face(rng, side)[..., None]
    elif kind == 2:
        _photograph(rng, place)
    else:
        wide = min(width, int(height * 1.6))
        place[:, :wide] *= draw_barcode(rng, (height, wide))[..., None]


def draw_face(rng: np.random.Generator, side: int) -> np.ndarray:
    """A face as a pen draws it, (side, side) float32: 0 ink to 1 paper."""
    canvas = np.full((side, side), 255, np.uint8)
    thick = max(1, round(side * rng.uniform(0.012, 0.03)))

    def ring(
        center: tuple[float, float], axes: tuple[float, float], start: int = 0, end: int = 360, fill: bool = False
    ) -> None:
        at, size = tuple(round(c * side) for c in center), tuple(max(1, round(a * side)) for a in axes)
        cv2.ellipse(canvas, at, size, float(rng.uniform(-6, 6)), start, end, 0, -1 if fill else thick, cv2.LINE_AA)

    ring((0.5, 0.52), (0.36, 0.44))
    for x in (0.37, 0.63):
        ring((x, 0.42), (0.07, 0.045))
        ring((x, 0.42), (0.025, 0.03), fill=True)
        ring((x, 0.35), (0.09, 0.05), 200, 340)
    ring((0.5, 0.55), (0.04, 0.09), 20, 200)
    ring((0.5, 0.68), (0.15, 0.09), 15, 165)
    for lock in range(int(rng.integers(3, 9))):
        ring((0.28 + 0.06 * lock, 0.14), (0.08, 0.1), 180, 320)
    for x, start in ((0.14, 90), (0.86, -90)):
        ring((x, 0.52), (0.05, 0.08), start, start + 180)
    return canvas.astype(np.float32) / 255


def draw_barcode(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Bars, (H, W) float32: 0 ink to 1 paper; at least (2, 8)."""
    height, width = shape
    bars = np.repeat(rng.integers(0, 2, max(4, width // 3)), 3)[:width]
    code = np.ones(shape, np.float32)
    code[: int(0.85 * height), : len(bars)] = 1 - 0.85 * bars
    return cv2.GaussianBlur(code, (3, 3), 0)


def _logo(rng: np.random.Generator, place: Photo) -> None:
    side = min(place.shape[:2])
    color = np.array(rng.uniform(20, 220, 3), np.float32)
    mask = np.zeros(place.shape[:2], np.uint8)
    center = (side // 2, side // 2)
    shape = rng.integers(3)
    if shape == 0:
        cv2.circle(mask, center, int(0.45 * side), 255, -1, cv2.LINE_AA)
        cv2.circle(mask, center, int(0.2 * side), 0, -1, cv2.LINE_AA)
    elif shape == 1:
        turns = np.linspace(0, 2 * np.pi, 11)[:-1]
        radius = np.where(np.arange(10) % 2, 0.2, 0.47) * side
        star = np.stack((np.cos(turns) * radius + side / 2, np.sin(turns) * radius + side / 2), 1)
        cv2.fillPoly(mask, [np.round(star).astype(np.int32)], 255, cv2.LINE_AA)
    else:
        cv2.rectangle(mask, (2, 2), (side - 3, side - 3), 255, max(2, side // 12), cv2.LINE_AA)
        cv2.line(mask, (2, side - 3), (side - 3, 2), 255, max(2, side // 10), cv2.LINE_AA)
    place += mask[..., None] / np.float32(255) * (color - place)


def _photograph(rng: np.random.Generator, place: Photo) -> None:
    """A landscape or a portrait in soft colours, with a frame."""
    height, width = place.shape[:2]
    sky, ground = rng.uniform(60, 240, 3), rng.uniform(20, 180, 3)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    ridge = height * (0.55 + 0.1 * cloud(rng, (1, width), width / 3, 5)[0])
    below = np.clip((y - ridge[None]) / 2, 0, 1)[..., None]
    picture = (sky * (1 - 0.4 * y / height)[..., None]) * (1 - below) + ground * below
    picture *= (1 + 0.12 * cloud(rng, (height, width), width / 8, 5))[..., None]
    if rng.random() < 0.5:
        head = np.exp(-(((x - width * 0.5) / (0.16 * width)) ** 4) - ((y - height * 0.5) / (0.3 * height)) ** 4)
        skin = np.array((150, 180, 225)) * rng.uniform(0.4, 1.0)
        picture += head[..., None] * (skin * (1 - 0.3 * x / width)[..., None] - picture)
        for at in (0.44, 0.56):
            spot = np.exp(-(((x - width * at) / (0.02 * width)) ** 2) - ((y - height * 0.43) / (0.025 * height)) ** 2)
            picture *= (1 - 0.8 * spot)[..., None]
        mouth = np.exp(-(((x - width * 0.5) / (0.06 * width)) ** 4) - ((y - height * 0.65) / (0.02 * height)) ** 2)
        picture *= (1 - 0.5 * mouth)[..., None]
    place[:] = np.clip(picture, 0, 255)
