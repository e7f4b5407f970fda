"""Pages laid over their forms: in the right place to a fraction of a millimetre, or not at all and with the reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import ShapeError
from edge.forms.register import lay
from edge.forms.sheet.laid import judged
from edge.forms.sheet.sheet_map import Bend, SheetMap
from edge.forms.template import Marks, Template
from tests.forms.known_forms import (
    ACCOUNT,
    COLUMNS,
    FORM,
    OTHER,
    SCORES,
    SQUARES,
    TWO_PAGES,
    corners_mm,
    farthest_mm,
    fur,
    shot,
)
from tests.forms.sheets import Made, bent, filled, photographed, printed, quarter, ruled, scanned, skewed, without_mark


@pytest.mark.parametrize("seed", range(6))
def test_a_scan_there_and_back_is_laid_exactly(seed: int) -> None:
    made = scanned(FORM, seed, lose=seed % 3 == 0)
    laid = lay(made.pixels, [FORM])
    assert laid.registration.status == "ok", laid.registration.reason
    assert laid.registration.residual_mm is not None
    assert laid.registration.residual_mm <= (0.3 if made.lost is None else 0.5)
    assert farthest_mm(laid, made) <= 0.2


@pytest.mark.parametrize("lost", [None, 0, 2])
def test_a_photo_from_aside_is_laid_exactly_in_any_quarter_turn(lost: int | None) -> None:
    rng = np.random.default_rng(7 if lost is None else lost)
    made = filled(FORM, rng, dpi=150)
    if lost is not None:
        made = without_mark(made, FORM, lost, rng)
    turns = 1 if lost is None else lost + 1
    made = quarter(shot(photographed(made, rng)), turns)
    laid = lay(made.pixels, [FORM])
    assert laid.registration.status == "ok", laid.registration.reason
    assert laid.registration.rotation_deg == (360 - 90 * turns) % 360
    assert farthest_mm(laid, made) <= 0.3


def test_bent_paper_is_laid_where_its_boxes_are() -> None:
    flat = filled(FORM, np.random.default_rng(3), dpi=150)
    made, shift = bent(flat, 1.2)
    laid = lay(shot(made).pixels, [FORM])
    assert laid.registration.status == "ok", laid.registration.reason
    assert laid.sheet is not None
    where = flat.points(corners_mm(FORM))
    x, y = np.rint(where).astype(int).T
    off = np.hypot(*(laid.sheet.points(corners_mm(FORM)) - (where - shift[:, y, x].T)).T)
    assert off.max() / laid.sheet.px_per_mm((50.0, 50.0)) <= 0.2


def test_more_bent_than_paper_is_for_review() -> None:
    weights = np.zeros((2, 6))
    weights[0, 3] = 15.0  # across, as the square of the place across
    flat = SheetMap(homography=np.diag((5.0, 5.0, 1.0)))
    bowed = replace(flat, bend=Bend(size_mm=FORM.size_mm, degree=2, weights=weights))
    pixels = np.full((1100, 800), 255, np.uint8)
    good, bad = (judged("frame", FORM, 1, sheet, pixels, residual_mm=0.1).registration for sheet in (flat, bowed))
    assert good.status == "ok"
    assert (bad.status, bad.reason) == ("review", "the paper seems bent by 15 mm; scan it flat")


def test_residuals_are_of_the_print_not_of_the_marks_that_were_fitted() -> None:
    off = replace(FORM, fields=(replace(ACCOUNT, box_mm=(25.0, 40.9, 80.0, 8.0)), SCORES))
    pixels = printed(FORM, dpi=150).pixels
    good, bad = lay(pixels, [FORM]), lay(pixels, [off])
    assert good.registration.residual_mm is not None
    assert good.registration.residual_mm < 0.05
    assert bad.registration.residual_mm is None or bad.registration.residual_mm > 2 * good.registration.residual_mm


def test_two_marks_are_for_review() -> None:
    rng = np.random.default_rng(5)
    made = without_mark(without_mark(filled(FORM, rng, dpi=150), FORM, 0, rng), FORM, 1, rng)
    laid = lay(skewed(made, 4, 1.0).pixels, [FORM])
    assert laid.registration.status == "review"
    assert "only 2 of 4" in (laid.registration.reason or "")


def test_the_page_code_picks_the_template() -> None:
    for form in (FORM, OTHER):
        laid = lay(shot(filled(form, np.random.default_rng(1), dpi=150)).pixels, [OTHER, FORM])
        assert laid.template is form
        assert laid.registration.status == "ok"


def test_the_page_code_picks_the_page() -> None:
    for page in (1, 2):
        made = shot(filled(TWO_PAGES, np.random.default_rng(page), page=page, dpi=150))
        laid = lay(made.pixels, [FORM, TWO_PAGES])
        assert (laid.template, laid.form_page) == (TWO_PAGES, page)
        assert farthest_mm(laid, made, page) <= 0.2


def test_a_page_of_an_unknown_form_is_reported_not_guessed() -> None:
    laid = lay(printed(OTHER, dpi=150).pixels, [FORM])
    assert laid.registration.status == "failed"
    assert laid.template is None
    assert laid.sheet is None
    assert "gym, version 2, page 1" in (laid.registration.reason or "")
    older = lay(printed(replace(FORM, version=1), dpi=150).pixels, [FORM])
    assert older.registration.status == "failed"
    assert "club, version 1" in (older.registration.reason or "")


def test_a_form_on_other_paper_whose_code_lies_elsewhere_is_not_guessed() -> None:
    letter = replace(OTHER, size_mm=(215.9, 279.4))
    laid = lay(printed(letter, dpi=150).pixels, [FORM])
    assert laid.registration.status == "failed"
    assert laid.template is None
    assert "nor the boxes of club" in (laid.registration.reason or "")


def without_code(made: Made) -> Made:
    pixels = made.pixels.copy()
    height, width = pixels.shape[:2]
    pixels[round(0.83 * height) : round(0.97 * height), round(0.3 * width) : round(0.7 * width)] = 250
    return replace(made, pixels=pixels)


def test_without_its_code_a_page_is_of_the_only_template_or_of_none() -> None:
    made = without_code(filled(FORM, np.random.default_rng(1), dpi=150))
    assert lay(made.pixels, [FORM]).registration.status == "ok"
    laid = lay(made.pixels, [FORM, OTHER])
    assert laid.registration.status == "failed"
    assert laid.template is None
    assert "page code" in (laid.registration.reason or "")


def test_without_its_code_another_form_with_the_same_marks_is_not_read() -> None:
    laid = lay(without_code(printed(OTHER, dpi=150)).pixels, [FORM])
    assert laid.registration.status != "ok"
    assert laid.registration.reason


def test_without_its_code_which_page_it_is_is_for_review() -> None:
    made = without_code(filled(TWO_PAGES, np.random.default_rng(1), page=2, dpi=150))
    laid = lay(made.pixels, [TWO_PAGES])
    assert (laid.registration.status, laid.form_page) == ("review", 2)


def test_a_mirrored_page_is_not_laid() -> None:
    assert lay(cv2.flip(printed(FORM, dpi=150).pixels, 1), [FORM]).registration.status == "failed"


@pytest.mark.parametrize("part", ["top", "left"])
def test_half_a_page_is_not_read_as_a_whole_one(part: str) -> None:
    pixels = printed(FORM, dpi=150).pixels
    height, width = pixels.shape[:2]
    pixels = pixels[: height // 2] if part == "top" else pixels[:, : width // 2]
    laid = lay(pixels, [FORM])
    assert laid.registration.status in ("review", "failed")
    assert laid.registration.reason


NOTHING = {
    "white": np.full((900, 640), 250, np.uint8),
    "black": np.zeros((900, 640), np.uint8),
    "noise": np.random.default_rng(1).integers(0, 255, (900, 640), np.uint8),
    "fur": fur(),
    "pixel": np.full((1, 1), 9, np.uint8),
    "thin": np.full((2, 3000), 200, np.uint8),
}


@pytest.mark.parametrize("template", [FORM, SQUARES, COLUMNS], ids=lambda t: t.name)
@pytest.mark.parametrize("picture", NOTHING)
def test_what_is_no_form_is_not_laid(template: Template, picture: str) -> None:
    laid = lay(NOTHING[picture], [template])
    assert laid.registration.status in ("review", "failed")
    assert laid.registration.reason


def test_no_pixels_are_no_picture() -> None:
    with pytest.raises(ShapeError):
        lay(np.zeros((0, 5), np.uint8), [FORM])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_lies_on_a_page_nothing_is_raised(data: st.DataObject) -> None:
    """Boxes, marks and grids in all places and sizes, some cut off, some squeezed flat."""
    pixels = np.full((data.draw(st.integers(1, 300)), data.draw(st.integers(1, 300))), 235, np.uint8)
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    place = st.integers(-20, 300)
    for mark in data.draw(st.lists(st.integers(0, 5), max_size=5)):
        side, x, y = data.draw(st.integers(12, 60)), abs(data.draw(place)), abs(data.draw(place))
        part = pixels[y : y + side, x : x + side]
        part[:] = cv2.aruco.generateImageMarker(dictionary, mark, side)[: part.shape[0], : part.shape[1]]
    for _ in range(data.draw(st.integers(0, 4))):
        corners = np.array([(data.draw(place), data.draw(place)) for _ in range(4)], np.int32)
        cv2.polylines(pixels, [corners], True, 20, data.draw(st.integers(1, 6)))
    laid = lay(pixels, [FORM, OTHER, SQUARES, TWO_PAGES])
    assert (laid.sheet is None) == (laid.template is None)
    assert laid.registration.status == "ok" or laid.registration.reason
    if laid.sheet is not None:
        assert laid.sheet.cut(pixels, (10.0, 10.0, 8.0, 8.0), 6.0).shape == (48, 48)


def test_a_page_of_a_form_without_fields_is_laid_too() -> None:
    empty = replace(FORM, fields=(replace(ACCOUNT, page=2),))
    assert lay(printed(empty, page=1, dpi=120).pixels, [empty]).registration.status == "ok"
    frame = replace(SQUARES, fields=(replace(SQUARES.fields[0], page=2),), orientation="upright")
    assert lay(printed(frame, page=1, dpi=120).pixels, [frame]).registration.status == "ok"


def test_a_picture_is_the_sheet_if_it_has_its_shape() -> None:
    plain = replace(FORM, registration="none", marks=None)
    made = printed(FORM, dpi=100)
    laid = lay(made.pixels, [plain])
    assert (laid.registration.status, laid.registration.method) == ("ok", "none")
    assert farthest_mm(laid, made) <= 0.15
    assert lay(made.pixels[:-200], [plain]).registration.status == "review"


def test_a_picture_that_is_nearly_the_sheet_is_moved_onto_its_boxes() -> None:
    plain = replace(FORM, registration="none", marks=None)
    made = printed(FORM, dpi=100)
    shifted = np.roll(made.pixels, (4, 3), axis=(0, 1))
    laid = lay(shifted, [plain])
    assert laid.registration.status == "ok"
    assert laid.registration.residual_mm is not None
    assert farthest_mm(laid, replace(made, to_px=np.array([[1, 0, 3], [0, 1, 4], [0, 0, 1.0]]) @ made.to_px)) <= 0.15


def test_a_pile_of_all_kinds_is_sorted() -> None:
    plain = replace(OTHER, registration="none", marks=None)
    for form, made in ((FORM, printed(FORM, dpi=120)), (SQUARES, ruled(SQUARES)), (plain, printed(OTHER, dpi=100))):
        assert lay(made.pixels, [plain, SQUARES, FORM]).template is form
    blank = np.full((1000, 704), 240, np.uint8)
    assert lay(blank, [plain]).registration.status == "ok"
    assert lay(blank, [plain, FORM]).registration.status == "review"


def test_a_picture_is_turned_as_it_reads_best() -> None:
    plain = replace(FORM, registration="none", marks=None, orientation="auto")
    made = quarter(printed(FORM, dpi=100), 1)
    laid = lay(made.pixels, [plain], judge=lambda way: float(way.registration.rotation_deg == 270))
    assert laid.registration.rotation_deg == 270
    assert farthest_mm(laid, made) <= 0.15


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Template:
    place: Path = tmp_path_factory.mktemp("reference") / "blank.png"
    cv2.imwrite(str(place), bare(printed(FORM, dpi=120)).pixels)
    return replace(FORM, registration="reference", marks=None, reference=place, sha256="reference")


def bare(made: Made) -> Made:
    """The page without marks and code: boxes and words are left."""
    pixels = without_code(made).pixels
    for box in Marks().boxes_mm(FORM.size_mm):
        (left, top), (right, bottom) = made.points([(box[0] - 1, box[1] - 1), (box[0] + 9, box[1] + 9)]).astype(int)
        pixels[max(0, top) : bottom, max(0, left) : right] = 255
    return replace(made, pixels=pixels)


@pytest.mark.parametrize("kind", ["scan", "photo", "turned"])
def test_a_page_is_laid_over_its_blank(reference: Template, kind: str) -> None:
    rng = np.random.default_rng(2)
    made = bare(filled(FORM, rng, dpi=150))
    if kind == "photo":
        made = photographed(made, rng, tilt=0.06)
    made = shot(quarter(made, 2) if kind == "turned" else skewed(made, -7, 1.0))
    laid = lay(made.pixels, [reference])
    assert laid.registration.status == "ok", laid.registration.reason
    assert laid.registration.rotation_deg == (180 if kind == "turned" else 0)
    assert farthest_mm(laid, made) <= 0.3


def test_another_page_is_not_laid_over_the_blank(reference: Template) -> None:
    assert lay(fur(), [reference]).registration.status == "failed"
    assert lay(bare(printed(OTHER, dpi=150)).pixels, [reference]).registration.status != "ok"
