"""Files, folders, globs and pages: what is read, in which order, and what is said of the rest."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import SourceError
from edge.sources import pdf as pdf_module
from edge.sources.files import BadPage, count_pages, expand_paths, hash_file, read_pages
from edge.values import Page
from tests.sources.samples import bomb, encoded, pdf, picture, png, write


def message_of(path: Path, **options: float) -> str:
    (page,) = read_pages(path, **options)
    assert isinstance(page, BadPage), page
    assert page.page_number == 1 and page.source == str(path)
    return page.message


def multipage(path: Path, *pages: np.ndarray) -> Path:
    good, content = cv2.imencodemulti(".tif", pages)
    assert good
    return write(path, content.tobytes())


def test_pages_of_a_tiff_come_in_order(tmp_path: Path) -> None:
    path = multipage(tmp_path / "a.tif", *(np.full((20 + n, 30), 50 * n, np.uint8) for n in range(4)))
    pages = list(read_pages(path))
    assert [(p.page_number, p.pixels.shape[0], int(p.pixels[0, 0])) for p in pages if isinstance(p, Page)] == [
        (1, 20, 0),
        (2, 21, 50),
        (3, 22, 100),
        (4, 23, 150),
    ]


def test_pages_before_the_damage_of_a_tiff_are_read(tmp_path: Path) -> None:
    whole = multipage(tmp_path / "a.tif", *(np.full((200, 300), 50 * n, np.uint8) for n in range(4))).read_bytes()
    pages = list(read_pages(write(tmp_path / "b.tif", whole[: len(whole) // 2])))
    assert isinstance(pages[0], Page) and isinstance(pages[-1], BadPage)
    assert [page.page_number for page in pages] == list(range(1, len(pages) + 1))
    assert "cut off" in pages[-1].message


def test_one_page_over_the_limit_does_not_cost_the_others(tmp_path: Path) -> None:
    sizes = ((100, 100), (400, 400), (100, 100))
    path = multipage(tmp_path / "a.tif", *(np.zeros(size, np.uint8) for size in sizes))
    kinds = [type(page) for page in read_pages(path, max_megapixels=0.1)]
    assert kinds == [Page, BadPage, Page]


def test_a_tiff_whose_pages_form_a_loop_ends(tmp_path: Path) -> None:
    content = bytearray(encoded(".tif", picture()))
    start = int.from_bytes(content[4:8], "little")
    after = start + 2 + 12 * int.from_bytes(content[start : start + 2], "little")
    content[after : after + 4] = content[4:8]
    pages = list(read_pages(write(tmp_path / "a.tif", bytes(content))))
    assert len(pages) == 2 and isinstance(pages[1], BadPage) and "loop" in pages[1].message


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    message = message_of(write(tmp_path / "bomb.png", bomb()))
    assert "900" not in message or "megapixels" in message
    assert "30000x30000" in message and "--max-megapixels" in message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB; decoded it would be 900,000


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp", ".webp", ".pgm"])
def test_the_limit_holds_for_every_kind(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a{suffix}", encoded(suffix, np.zeros((1000, 1100), np.uint8)))
    assert "1100x1000" in message_of(path, max_megapixels=1)
    assert isinstance(next(read_pages(path, max_megapixels=1.1)), Page)


def test_a_file_mapped_for_its_size_is_read_as_one_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "page.png"
    cv2.imwrite(str(file), np.random.default_rng(1).integers(0, 256, (30, 40), np.uint8))
    (whole,) = read_pages(file)
    monkeypatch.setattr("edge.sources.files._READ_BYTES", 0)
    (mapped,) = read_pages(file)
    assert isinstance(whole, Page)
    assert isinstance(mapped, Page)
    assert np.array_equal(whole.pixels, mapped.pixels)


def test_files_without_pixels_or_content_are_named(tmp_path: Path) -> None:
    assert "empty" in message_of(write(tmp_path / "a.png", b""))
    assert "no pixels" in message_of(write(tmp_path / "b.png", png(0, 5, b"")))
    assert "no such file" in message_of(tmp_path / "c.png")
    assert "no file matches" in message_of(tmp_path / "*.jpg")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert "pipe" in message_of(tmp_path / "a.png")


def test_pdf_pages_are_rendered_at_300_dpi_upright(tmp_path: Path) -> None:
    first, second = read_pages(write(tmp_path / "a.pdf", pdf((72, 144), (144, 72))))
    assert isinstance(first, Page) and isinstance(second, Page)
    assert first.pixels.shape == (600, 300, 3) and second.pixels.shape == (300, 600, 3)
    # The square is 20 pt from the lower left corner.
    assert first.pixels[600 - 125, 125].tolist() == [0, 0, 0] and first.pixels[125, 125].tolist() == [255, 255, 255]


def test_a_pdf_page_of_ten_metres_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    first, second = read_pages(write(tmp_path / "a.pdf", pdf((14400, 28346), (72, 72))))
    assert isinstance(first, BadPage) and "megapixels" in first.message
    assert isinstance(second, Page) and second.page_number == 2


def test_pages_wanted_are_the_same_as_among_all(tmp_path: Path) -> None:
    pages = [np.full((20 + n, 30), 50 * n, np.uint8) for n in range(4)]
    for path in (
        multipage(tmp_path / "a.tif", *pages),
        write(tmp_path / "a.pdf", pdf(*((72, 72 + n) for n in range(4)))),
    ):
        everything = list(read_pages(path))
        assert count_pages(path) == len(everything) == 4
        wanted = list(read_pages(path, numbers=(2, 4)))
        assert [page.page_number for page in wanted] == [2, 4]
        for page, same in zip(wanted, everything[1::2], strict=True):
            assert isinstance(page, Page) and isinstance(same, Page) and np.array_equal(page.pixels, same.pixels)


def test_bad_pages_count_and_are_given_where_they_are_wanted(tmp_path: Path) -> None:
    whole = multipage(tmp_path / "a.tif", *(np.full((200, 300), 50 * n, np.uint8) for n in range(4))).read_bytes()
    broken = write(tmp_path / "b.tif", whole[: len(whole) // 2])
    count = len(list(read_pages(broken)))
    assert count_pages(broken) == count > 1
    assert [page.page_number for page in read_pages(broken, numbers=(count,))] == [count]
    assert list(read_pages(broken, numbers=(count + 1,))) == []
    for path in (write(tmp_path / "c.png", b"no"), write(tmp_path / "d.pdf", b"%PDF-1.4 no"), tmp_path / "absent"):
        assert count_pages(path) == 1
        assert isinstance(next(read_pages(path, numbers=(1,))), BadPage)


def test_a_file_without_pages_is_an_error(tmp_path: Path) -> None:
    assert "no pages" in message_of(write(tmp_path / "a.tif", b"II*\0" + bytes(4)))
    assert "PDF is damaged" in message_of(write(tmp_path / "a.pdf", pdf()))


def test_a_file_s_hash_is_that_of_its_bytes_and_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    assert hash_file(write(tmp_path / "a", b"abc")).startswith("ba7816bf")
    os.mkfifo(tmp_path / "b")
    for path, message in ((tmp_path / "b", "pipe"), (tmp_path / "c", "no such file"), (tmp_path, "folder")):
        with pytest.raises(SourceError, match=message):
            hash_file(path)


def test_a_broken_pdf_is_an_error(tmp_path: Path) -> None:
    assert "damaged" in message_of(write(tmp_path / "a.pdf", b"%PDF-1.4\nnothing of the sort"))


def test_an_encrypted_pdf_says_so(tmp_path: Path) -> None:
    locked = pdf((72, 72)).replace(
        b"trailer<<",
        b"trailer<</Encrypt<</Filter/Standard/V 1/R 2/P -4/O<" + b"28" * 32 + b">/U<" + b"28" * 32 + b">>>"
        b"/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]",
    )
    assert "password" in message_of(write(tmp_path / "a.pdf", locked))
    assert "damaged" in message_of(write(tmp_path / "b.pdf", pdf()))  # not what was wrong with the file before


def test_without_pypdfium2_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    assert "pip install 'inkedge[pdf]'" in message_of(write(tmp_path / "a.pdf", pdf((72, 72))))


def test_a_broken_pypdfium2_is_not_called_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path / "pypdfium2.py", b"import a_module_that_is_not_there")
    monkeypatch.delitem(sys.modules, "pypdfium2", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        pdf_module._load_pdfium()


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_a_folder_is_walked_in_code_point_order_of_the_relative_path(tmp_path: Path) -> None:
    touch(tmp_path, "b.png", "a/z.png", "a-1/x.png", "B.PNG", "a.tif", "ä.pdf", "a/b/c.jpeg")
    found = expand_paths([tmp_path])
    names = [file.relative_to(tmp_path).as_posix() for file in found.files]
    assert names == ["B.PNG", "a-1/x.png", "a.tif", "a/b/c.jpeg", "a/z.png", "b.png", "ä.pdf"]
    assert found.skipped == 0


def test_hidden_files_are_passed_over_and_others_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", ".b.png", ".git/c.png", "notes.txt", "d/e.csv")
    found = expand_paths([tmp_path])
    assert [file.name for file in found.files] == ["a.png"]
    assert found.skipped == 2


def test_links_to_files_are_followed_and_links_to_folders_are_not(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/a.png", "scans/b.png")
    (tmp_path / "scans/link.png").symlink_to(tmp_path / "elsewhere/a.png")
    (tmp_path / "scans/loop").symlink_to(tmp_path / "scans")
    assert [file.name for file in expand_paths([tmp_path / "scans"]).files] == ["b.png", "link.png"]


def test_a_file_named_directly_is_kept_whatever_its_name(tmp_path: Path) -> None:
    touch(tmp_path, "scan.weird", ".hidden")
    paths = [tmp_path / "scan.weird", tmp_path / ".hidden", tmp_path / "missing.png"]
    assert list(expand_paths(paths).files) == paths


def test_globs_are_expanded_and_a_file_with_brackets_is_itself(tmp_path: Path) -> None:
    touch(tmp_path, "b.png", "a.png", "c[1].png", "deep/d.png", "e.txt")
    names = [file.name for file in expand_paths([f"{tmp_path}/**/*.png"]).files]
    assert names == ["a.png", "b.png", "c[1].png", "d.png"]
    assert [file.name for file in expand_paths([tmp_path / "c[1].png"]).files] == ["c[1].png"]


def test_a_name_that_is_not_utf8_is_read(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    path.write_bytes(encoded(".png", picture()))
    (found,) = expand_paths([tmp_path]).files
    assert isinstance(next(read_pages(found)), Page)
