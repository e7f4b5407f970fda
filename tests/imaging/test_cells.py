"""The digit of a cell is found in any light, colour, size and box; what is no plain digit is doubted or left alone."""

from functools import cache

import cv2
import numpy as np
import pytest

from edge.errors import ShapeError
from edge.imaging.cells import find_digit
from edge.imaging.tensors import digit_tensors
from edge.inference.classifier import Classifier
from edge.sources.digits import load_digits
from tests.scenes.singles import draw_cell

N = 25


def cell(index: int, *, size: int = 64, paper: float = 215, depth: float = 100, box: int = 2) -> np.ndarray:
    """Digit index in the middle of a (size, size) printed box, float grey: noise, and light that falls to the right."""
    rng = np.random.default_rng(index)
    grey = np.full((size, size), float(paper))
    edge = round(size / 20)
    if box:
        thick = max(1, round(box * size / 64))
        for turns in range(4):
            np.rot90(grey, turns)[edge : edge + thick] = 0.4 * paper
    side = round(0.62 * size)
    place = (size - side) // 2
    digit = cv2.resize(load_digits()[0][index], (side, side), interpolation=cv2.INTER_AREA) / 255.0
    grey[place : place + side, place : place + side] -= depth * digit
    return grey * np.linspace(1, 0.7, size) + rng.normal(0, 2, grey.shape)


def shot(grey: np.ndarray) -> np.ndarray:
    return np.clip(grey, 0, 255).astype(np.uint8)


@cache
def classifier() -> Classifier:
    return Classifier.open("lecture")


def right_share(cells: list[np.ndarray]) -> float:
    """The share of cells, digit i in the i-th, whose ink the lecture network reads right."""
    inks = [found.ink for pixels in cells if (found := find_digit(pixels).glyph) is not None]
    if len(inks) < len(cells):
        return len(inks) / len(cells) - 1
    said = classifier().predict(digit_tensors(inks))
    return float(np.mean([p.label == str(label) for p, label in zip(said, load_digits()[1], strict=False)]))


@pytest.mark.parametrize("box", [0, 1, 2, 5])
@pytest.mark.parametrize("size", [40, 64, 160])
def test_the_digit_is_found_in_boxes_of_any_size(size: int, box: int) -> None:
    assert right_share([shot(cell(i, size=size, box=box)) for i in range(N)]) >= 0.92


@pytest.mark.parametrize("paper", [60.0, 130.0, 240.0])
@pytest.mark.parametrize("depth", [0.2, 0.5])
def test_dark_photos_pale_pencil_and_light_writing(paper: float, depth: float) -> None:
    cells = [shot(cell(i, paper=paper, depth=depth * paper)) for i in range(N)]
    assert right_share(cells) >= 0.88
    if paper > 100:
        assert right_share([255 - pixels for pixels in cells]) >= 0.88


def test_a_shadow_s_edge_through_the_cell() -> None:
    shaded = []
    for i in range(N):
        grey = cell(i)
        grey[:, 36:] *= 0.6
        shaded.append(shot(cv2.GaussianBlur(grey, (5, 5), 0)))
    assert right_share(shaded) >= 0.8


@pytest.mark.parametrize("ink", [(40, 40, 200), (200, 90, 30), (60, 160, 40), (0, 200, 230)])
def test_coloured_ink(ink: tuple[int, int, int]) -> None:
    """Red, blue, green and yellow (BGR) on white."""
    cells = []
    for i in range(N):
        share = (215 - cell(i, depth=215, box=0))[:, :, None] / 215
        cells.append(shot(235 * (1 - share) + np.array(ink) * share))
    assert right_share(cells) >= 0.88


@pytest.mark.parametrize("side", [8, 16, 28, 60, 300])
def test_tight_crops_keep_their_strokes(side: int) -> None:
    crops = []
    for i in range(N):
        image = load_digits()[0][i]
        left, top, width, height = cv2.boundingRect(image)
        scale = side / max(width, height)
        shape = (max(2, round(width * scale)), max(2, round(height * scale)))
        crops.append(cv2.resize(image[top : top + height, left : left + width], shape, interpolation=cv2.INTER_AREA))
    limit = 0.8 if side == 8 else 0.92
    assert right_share(crops) >= limit and right_share([255 - crop for crop in crops]) >= limit


@pytest.mark.parametrize("light", [1.0, 0.7])
def test_the_foot_of_a_two_along_the_side_of_a_coarse_crop_stays(light: float) -> None:
    """An 8 by 8 crop as in the optical digits set; across it the light falls to this share."""
    two = np.zeros((8, 8))
    two[0, 2:5] = two[1:4, 5] = two[4, 4] = two[5, 3] = 1
    two[6:, 1:8] = 0.8
    grey = 230 * (1 - 0.75 * two) * np.linspace(1, light, 8)
    glyph = find_digit(shot(grey)).glyph
    assert glyph is not None
    foot = glyph.ink[-glyph.ink.shape[0] // 6 :]
    assert (foot.max(axis=0) > 60).mean() > 0.9 and glyph.box.width >= 7, "unbroken over its whole length"


@pytest.mark.parametrize("box", [0, 2])
@pytest.mark.parametrize("paper", [70.0, 215.0])
def test_blank_cells_are_blank(paper: float, box: int) -> None:
    blanks = [shot(cell(i, paper=paper, depth=0, box=box)) for i in range(N)]
    assert sum(find_digit(pixels).glyph is None for pixels in blanks) >= N - 1


def test_print_that_shines_through_is_no_writing() -> None:
    assert all(find_digit(shot(cell(i, paper=220, depth=12))).glyph is None for i in range(N))


def test_notes_second_digits_and_blots_are_doubted() -> None:
    doubted = []
    for i in range(N):
        note = shot(cell(0, depth=0))
        note[10:32, 8:30] = np.minimum(note[10:32, 8:30], 220 - cv2.resize(load_digits()[0][i], (22, 22)) // 2)
        two = shot(cell(0, depth=0))
        for left, k in ((8, i), (36, i + 1)):
            two[20:44, left : left + 24] -= cv2.resize(load_digits()[0][k], (24, 24)) // 2
        doubted += [bool(find_digit(note).doubts), bool(find_digit(two).doubts)]
    blot = shot(cell(0, depth=0))
    cv2.circle(blot, (32, 32), 14, 60, -1)
    assert np.mean(doubted) >= 0.85 and find_digit(blot).doubts


def test_what_is_no_picture_is_refused() -> None:
    for wrong in (np.zeros(5, np.uint8), np.zeros((0, 4), np.uint8), np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4))):
        with pytest.raises(ShapeError):
            find_digit(wrong)


def test_boxes_lie_in_the_cell_as_given() -> None:
    cell_pixels = np.full((900, 2000, 3), 230, np.uint8)
    cv2.line(cell_pixels, (1000, 200), (980, 700), (40, 40, 40), 40)
    glyph = find_digit(cell_pixels).glyph
    assert glyph is not None and np.allclose(glyph.box.as_list(), [960, 180, 1020, 720], atol=30)


def test_a_heavy_dark_box_does_not_turn_paper_into_ink() -> None:
    found = [find_digit(draw_cell(seed).pixels) for seed in range(150)]
    assert all(cell.glyph is not None for cell in found)
