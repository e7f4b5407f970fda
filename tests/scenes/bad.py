"""Pictures without a single digit that break readers: noise, patterns, print, drawings, textures."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from edge.values import Image
from tests.scenes import surfaces
from tests.scenes.hand import pick_writer, write_line
from tests.scenes.letters import SMALL
from tests.scenes.prints import draw_barcode, draw_face, print_letters, print_picture
from tests.scenes.surfaces import cloud

Draw = Callable[[np.random.Generator, tuple[int, int]], Image]


def _byte(picture: np.ndarray) -> Image:
    return np.clip(picture, 0, 255).astype(np.uint8)


def flat(level: int) -> Draw:
    """One grey."""
    return lambda rng, shape: np.full(shape, level, np.uint8)


def noise(mean: float, sigma: float) -> Draw:
    """Normal noise about a grey."""
    return lambda rng, shape: _byte(rng.normal(mean, sigma, shape))


def any_grey(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Every pixel any grey."""
    return rng.integers(0, 256, shape, np.uint8)


def any_color(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Every pixel any colour."""
    return rng.integers(0, 256, (*shape, 3), np.uint8)


def salt(share: float) -> Draw:
    """White paper with black pixels and black with white ones, this share of each."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
        dice = rng.random(shape)
        return np.where(dice < share, 0, np.where(dice > 1 - share, 255, 200)).astype(np.uint8)

    return draw


def soft_noise(sigma_px: float) -> Draw:
    """Noise in blobs of this size, stretched to all greys."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
        field = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), sigma_px)
        return _byte(128 + 60 * field / field.std())

    return draw


def chessboard(side_px: int) -> Draw:
    """Squares of this side."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
        y, x = np.indices(shape) // side_px
        return np.where((x + y) % 2, 230, 25).astype(np.uint8)

    return draw


def stripes(period_px: int, angle_deg: float) -> Draw:
    """Even dark stripes."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
        y, x = np.indices(shape)
        along = x * np.cos(np.deg2rad(angle_deg)) + y * np.sin(np.deg2rad(angle_deg))
        return np.where(along % period_px < period_px / 3, 40, 220).astype(np.uint8)

    return draw


def gradient(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """From black to white across."""
    return _byte(np.add.outer(np.linspace(0, 128, shape[0]), np.linspace(0, 127, shape[1])))


def letters(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """A page of printed words."""
    page = np.full((*shape, 3), 245, np.float32)
    print_letters(rng, page[shape[0] // 20 : -shape[0] // 20, shape[1] // 12 : -shape[1] // 12], lines=14)
    return _byte(page)


def large_letters(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """A few printed words, large."""
    page = np.full((*shape, 3), 240, np.float32)
    print_letters(rng, page[:, shape[1] // 20 : -shape[1] // 20], lines=4)
    return _byte(page)


def prose(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """A page of small print, line after line."""
    page = np.full(shape, 250, np.uint8)
    text = "the quick brown fox jumps over the lazy dog and runs into the wood where nobody counted the trees "
    for line in range(1, 19):
        start = int(rng.integers(len(text)))
        words = (text[start:] + text)[:70].strip()
        spot = (shape[1] // 14, shape[0] * line // 19)
        cv2.putText(page, words, spot, cv2.FONT_HERSHEY_COMPLEX, shape[0] / 1000, 20, 1, cv2.LINE_AA)
    return page


def face(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """A drawn face."""
    page = np.full(shape, 255, np.float32)
    side = min(shape) * 9 // 10
    page[-side:, :side] = 235 * draw_face(rng, side) + 20
    return _byte(page)


def pictures(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Printed pictures: logos, faces, photographs, barcodes."""
    page = np.full((*shape, 3), 240, np.float32)
    for top in (0, shape[0] // 2):
        for left in (0, shape[1] // 2):
            print_picture(rng, page[top : top + shape[0] // 2 - 8, left : left + shape[1] // 2 - 8])
    return _byte(page)


def specks(count: int, radius_px: int) -> Draw:
    """So many dots."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
        page = np.full(shape, 235, np.uint8)
        for x, y in zip(rng.integers(0, shape[1], count), rng.integers(0, shape[0], count), strict=True):
            cv2.circle(page, (int(x), int(y)), int(rng.integers(0, radius_px + 1)), 40, -1)
        return page

    return draw


def barcode(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """A barcode on paper."""
    page = np.full(shape, 245, np.float32)
    page[shape[0] // 3 : shape[0] * 2 // 3, shape[1] // 6 : shape[1] * 5 // 6] *= draw_barcode(
        rng, (shape[0] * 2 // 3 - shape[0] // 3, shape[1] * 5 // 6 - shape[1] // 6)
    )
    return _byte(page)


def scribble(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """A pen that went to and fro all over the page."""
    page = np.full(shape, 240, np.uint8)
    path = np.cumsum(rng.normal(0, min(shape) / 9, (160, 2)), axis=0)
    path = np.abs((path + shape[::-1]) % (2 * np.array(shape[::-1])) - np.array(shape[::-1]))
    curve = cv2.GaussianBlur(np.repeat(path.astype(np.float32), 8, axis=0), (1, 31), 0)
    cv2.polylines(page, [np.round(curve).astype(np.int32)], False, 30, max(1, min(shape) // 160), cv2.LINE_AA)
    return page


def words(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Handwriting in letters only."""
    page = np.full(shape, 240, np.float32)
    tall = shape[0] / 14
    writer = pick_writer(rng, tall)
    for top in np.arange(tall * 0.3, shape[0] - 2.7 * tall, 2 * tall):
        text = " ".join("".join(rng.choice(SMALL, int(rng.integers(3, 9)))) for _ in range(3))
        ink, _ = write_line(rng, writer, text)
        ink = ink[:, : shape[1] - 40]
        page[int(top) : int(top) + ink.shape[0], 20 : 20 + ink.shape[1]] *= 1 - 0.85 * ink
    return _byte(page)


def texture(coarse_px: float) -> Draw:
    """Fractal noise, as clouds and plaster have it."""
    return lambda rng, shape: _byte(128 + 45 * cloud(rng, shape, coarse_px, 6))


def surface(draw: surfaces.Surface) -> Draw:
    """A table without anything on it."""
    return lambda rng, shape: _byte(draw(rng, shape))


def grid(pitch_px: int) -> Draw:
    """Squared paper, empty."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
        page = np.full(shape, 245, np.uint8)
        page[::pitch_px] = 120
        page[:, ::pitch_px] = 120
        return page

    return draw


def print_screen(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """A photo printed in dots, as newspapers do."""
    y, x = np.indices(shape)
    dots = np.sin(x * 0.9) * np.sin(y * 0.9)
    return _byte(128 + 90 * np.sign(dots + 0.7 * cloud(rng, shape, shape[1] / 3)))


PICTURES: dict[str, Draw] = {
    "black": flat(0),
    "white": flat(255),
    "grey": flat(128),
    "faint noise": noise(230, 4),
    "noise": noise(128, 30),
    "dark noise": noise(12, 8),
    "any grey": any_grey,
    "any colour": any_color,
    "a little salt and pepper": salt(0.005),
    "salt and pepper": salt(0.08),
    "blobs of 1 px": soft_noise(1.0),
    "blobs of 2.5 px": soft_noise(2.5),
    "blobs of 6 px": soft_noise(6.0),
    "blobs of 15 px": soft_noise(15.0),
    "chessboard of 4 px": chessboard(4),
    "chessboard of 15 px": chessboard(15),
    "chessboard of 40 px": chessboard(40),
    "chessboard of 90 px": chessboard(90),
    "fine stripes": stripes(7, 0),
    "stripes": stripes(24, 30),
    "broad stripes": stripes(60, 90),
    "gradient": gradient,
    "printed letters": letters,
    "prose": prose,
    "large printed letters": large_letters,
    "face": face,
    "pictures": pictures,
    "ten thousand specks": specks(10_000, 1),
    "specks": specks(400, 3),
    "barcode": barcode,
    "scribble": scribble,
    "words": words,
    "fine texture": texture(12),
    "coarse texture": texture(120),
    "wood": surface(surfaces.wood),
    "leather": surface(surfaces.leather),
    "cloth": surface(surfaces.cloth),
    "carpet": surface(surfaces.carpet),
    "keys": surface(surfaces.keys),
    "stone": surface(surfaces.stone),
    "tiles": surface(surfaces.tiles),
    "squared paper": grid(20),
    "print screen": print_screen,
}
