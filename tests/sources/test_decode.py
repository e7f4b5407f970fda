"""Images of every common kind come out as the same grey or BGR bytes."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.sources.files import BadPage, read_pages
from edge.values import Page
from tests.sources.samples import (
    CMYK_JPEG,
    as_stored,
    chunk,
    encoded,
    fax,
    picture,
    png,
    turned_jpeg,
    turned_png,
    write,
)


def only_page(path: Path) -> np.ndarray:
    (page,) = read_pages(path)
    assert isinstance(page, Page), page
    return page.pixels


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp", ".webp", ".pgm"])
def test_grey_images_decode(tmp_path: Path, suffix: str) -> None:
    pixels = only_page(write(tmp_path / f"a{suffix}", encoded(suffix, picture())))
    assert np.abs(cv2.mean(pixels)[0] - picture().mean()) < 2
    assert pixels.shape[:2] == (60, 100)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path: Path, suffix: str) -> None:
    ramp = np.linspace(0, 65535, 6000).astype(np.uint16).reshape(60, 100)
    pixels = only_page(write(tmp_path / f"a{suffix}", encoded(suffix, ramp)))
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels, ramp / 257, atol=0.51)


def test_transparent_is_white_and_half_transparent_black_is_grey(tmp_path: Path) -> None:
    rgba = np.zeros((3, 3, 4), np.uint8)
    rgba[1, 1, 3] = 255
    rgba[2, 2, 3] = 128
    pixels = only_page(write(tmp_path / "a.png", encoded(".png", rgba)))
    assert pixels.shape == (3, 3, 3)
    assert (pixels[0, 0] == 255).all() and (pixels[1, 1] == 0).all() and (pixels[2, 2] == 127).all()


def test_grey_with_alpha_and_palette_with_transparency_decode(tmp_path: Path) -> None:
    grey_alpha = png(2, 1, b"\0\0\xff\0\0", color=4)  # black, then transparent black
    assert only_page(write(tmp_path / "a.png", grey_alpha)).reshape(2, -1)[:, 0].tolist() == [0, 255]
    palette = chunk(b"PLTE", bytes([0, 0, 0, 9, 9, 9])) + chunk(b"tRNS", bytes([255, 0]))
    assert only_page(write(tmp_path / "b.png", png(2, 1, b"\0\0\1", color=3, extra=palette)))[0, :, 0].tolist() == [
        0,
        255,
    ]


def test_cmyk_jpeg_is_not_inverted(tmp_path: Path) -> None:
    pixels = only_page(write(tmp_path / "a.jpg", CMYK_JPEG))
    assert pixels.shape == (8, 16, 3)
    assert pixels[:, :7].max() < 40 and pixels[:, 9:].min() > 215


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(tmp_path: Path, orientation: int) -> None:
    upright = picture()
    stored = as_stored(upright, orientation)
    for path in (
        write(tmp_path / "a.jpg", turned_jpeg(stored, orientation)),
        write(tmp_path / "a.png", turned_png(stored, orientation)),
    ):
        pixels = only_page(path)
        grey = pixels if pixels.ndim == 2 else pixels[:, :, 0]
        np.testing.assert_allclose(grey, upright, atol=30, err_msg=path.name)


def test_a_fax_where_zero_is_white_has_black_ink_on_white(tmp_path: Path) -> None:
    pixels = only_page(write(tmp_path / "a.tif", fax(picture())))
    np.testing.assert_array_equal(pixels, picture())


def test_one_pixel_is_an_image(tmp_path: Path) -> None:
    assert only_page(write(tmp_path / "a.png", png(1, 1, b"\0\x07"))).tolist() == [[7]]


def test_a_color_profile_stays_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = png(1, 1, b"\0\x07", extra=chunk(b"iCCP", b"bad\0\0not a profile"))
    assert only_page(write(tmp_path / "a.png", content)).tolist() == [[7]]
    assert capfd.readouterr().err == ""


def test_float_tiff_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (page,) = read_pages(write(tmp_path / "a.tif", encoded(".tif", np.ones((4, 4), np.float32))))
    assert isinstance(page, BadPage) and "8 or 16 bits" in page.message


def test_the_kind_is_known_by_content_not_by_name(tmp_path: Path) -> None:
    assert only_page(write(tmp_path / "photo.tif", encoded(".png", picture()))).shape == (60, 100)
    (page,) = read_pages(write(tmp_path / "notes.png", b"remember the milk\n" * 10))
    assert isinstance(page, BadPage) and "not an image" in page.message


def test_heic_is_named_with_its_remedy(tmp_path: Path) -> None:
    (page,) = read_pages(write(tmp_path / "a.heic", struct.pack(">I", 24) + b"ftypheic" + bytes(40)))
    assert isinstance(page, BadPage) and "JPEG" in page.message


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


WHOLE = {suffix: encoded(suffix, picture()) for suffix in (".png", ".jpg", ".tif", ".bmp", ".webp", ".pgm")}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(suffix=st.sampled_from(sorted(WHOLE)), part=st.floats(0, 1, exclude_max=True))
def test_a_cut_off_image_is_an_error_and_never_half_a_picture(scratch: Path, suffix: str, part: float) -> None:
    whole = WHOLE[suffix]
    # A TIFF's last four bytes say where the next page is; without them the first page is still whole.
    length = int(part * (len(whole) - 8))
    pages = list(read_pages(write(scratch / f"cut{suffix}", whole[:length])))
    assert pages and isinstance(pages[-1], BadPage)
    assert not any(isinstance(page, Page) for page in pages)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(suffix=st.sampled_from(sorted(WHOLE)), at=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_damaged_byte_never_raises(scratch: Path, suffix: str, at: int, value: int) -> None:
    content = bytearray(WHOLE[suffix])
    content[at % len(content)] = value
    for page in read_pages(write(scratch / f"bad{suffix}", bytes(content)), max_megapixels=1):
        assert isinstance(page, Page | BadPage)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_jpeg_is_decoded_lean_upright_and_knows_its_size(tmp_path: Path, orientation: int) -> None:
    large = cv2.resize(picture(), (1601, 963))
    path = write(tmp_path / "a.jpg", turned_jpeg(as_stored(large, orientation), orientation))
    (lean,) = read_pages(path, lean_px=400)
    (half,) = read_pages(path, lean_px=401)
    assert isinstance(lean, Page) and isinstance(half, Page)
    assert lean.pixels.shape == (241, 401) and half.pixels.shape == (482, 801)
    assert (lean.width, lean.height) == (half.width, half.height) == (1601, 963)
    assert np.abs(lean.pixels.astype(int) - cv2.resize(large, (401, 241), interpolation=cv2.INTER_AREA)).mean() < 4


def test_what_is_no_jpeg_is_decoded_whole(tmp_path: Path) -> None:
    (page,) = read_pages(write(tmp_path / "a.png", encoded(".png", picture())), lean_px=10)
    assert isinstance(page, Page) and page.pixels.shape == picture().shape and page.size is None
