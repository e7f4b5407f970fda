"""Data come in as the lecture prepares them, from wherever they are, or with the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.errors import SourceError
from edge.sources.digits import load_digits
from train.data import Data, as_input, digits_to_judge, load_data, one_hot, representative, split
from train.model import open_keras
from train.pictures import read_picture


def test_digits_become_floats_between_0_and_1_and_one_hot_rows(small: Data) -> None:
    x, y = as_input(small.x_train), one_hot(small.y_train, 10)
    assert x.shape == (600, 28, 28, 1) and x.dtype == np.float32
    assert (x.min(), x.max()) == (0.0, 1.0)
    assert y.shape == (600, 10) and (y.sum(axis=1) == 1).all() and (y.argmax(axis=1) == small.y_train).all()


@pytest.mark.parametrize(("share", "limit", "n"), [(0.1, None, 60), (0.3, 100, 30), (0.0, None, 0), (0.001, 10, 1)])
def test_the_last_part_is_held_back_as_keras_does(small: Data, share: float, limit: int | None, n: int) -> None:
    from keras.src.trainers.data_adapters.array_slicing import train_validation_split

    parts = split(small, share, limit)
    assert len(parts.x_heldback) == n
    if share:
        (theirs,), (held,) = train_validation_split((small.x_train[:limit],), share)
        assert np.array_equal(parts.x_train, theirs) and np.array_equal(parts.x_heldback, held)


def test_a_split_that_leaves_nothing_is_refused(small: Data) -> None:
    with pytest.raises(SourceError, match="of 1 digits none is left"):
        split(small, 0.5, 1)


def test_representative_digits_are_even_over_labels_and_seeded(small: Data) -> None:
    images, labels = representative(small.x_train, small.y_train, classes=10, n=100, seed=1)
    assert images.shape == (100, 28, 28) and (np.bincount(labels) == 10).all()
    again, _ = representative(small.x_train, small.y_train, classes=10, n=100, seed=1)
    other, _ = representative(small.x_train, small.y_train, classes=10, n=100, seed=2)
    assert np.array_equal(images, again) and not np.array_equal(images, other)
    assert not (np.diff(labels.astype(int)) >= 0).all()


def test_without_network_or_data_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail() -> Any:
        raise Exception("URL fetch failure on https://x: None -- [Errno -3] no name resolution")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(open_keras().datasets.mnist, "load_data", fail)
    remedy = rf"no name resolution.*download https://\S+mnist.npz to {tmp_path}/datasets/mnist.npz, or .*--data"
    with pytest.raises(SourceError, match=remedy):
        load_data()


def test_keras_own_download_is_used_and_recognised(monkeypatch: pytest.MonkeyPatch, mnist_file: Path) -> None:
    with np.load(mnist_file) as mnist:
        arrays = (mnist["x_train"], mnist["y_train"]), (mnist["x_test"], mnist["y_test"])
    monkeypatch.setattr(open_keras().datasets.mnist, "load_data", lambda: arrays)
    data = load_data()
    assert (data.name, data.source) == ("mnist", None)


def test_a_picture_like_mnist_is_taken_as_it_is_and_paper_is_prepared(tmp_path: Path) -> None:
    image = load_digits()[0][0]
    cv2.imwrite(str(tmp_path / "same.png"), image)
    assert np.array_equal(read_picture(tmp_path / "same.png"), image)
    paper = cv2.resize(255 - cv2.copyMakeBorder(image, 8, 8, 8, 8, cv2.BORDER_CONSTANT), (132, 132))
    cv2.imwrite(str(tmp_path / "paper.jpg"), paper)
    prepared = read_picture(tmp_path / "paper.jpg")
    assert prepared.shape == (28, 28) and prepared.dtype == np.uint8
    # The same digit, light on dark again, in the same place.
    assert np.corrcoef(prepared.ravel(), image.ravel())[0, 1] > 0.8


def test_pictures_that_show_no_digit_are_named(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "blank.png"), np.full((64, 64), 250, np.uint8))
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(SourceError, match=r"blank.png: no ink found"):
        read_picture(tmp_path / "blank.png")
    with pytest.raises(SourceError, match=r"text.png: "):
        read_picture(tmp_path / "text.png")


def labelled_folder(folder: Path, labels: tuple[str, ...], n: int = 10) -> Path:
    images, _ = load_digits()
    for index, label in enumerate(labels):
        (folder / label).mkdir(parents=True)
        for number in range(n):
            cv2.imwrite(str(folder / label / f"{number:02}.png"), images[index * n + number])
    return folder


def test_a_folder_gives_its_names_as_labels_and_keeps_a_fifth_for_testing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = labelled_folder(tmp_path / "set", ("b", "a"))
    (folder / "a" / "readme.txt").write_text("not an image")
    (folder / ".hidden").mkdir()
    data = load_data(folder)
    assert data.labels == ("a", "b")
    assert (len(data.x_train), np.bincount(data.y_test).tolist()) == (16, [2, 2])
    # Mixed, or the part held back from the end would be all of one label.
    assert set(data.y_train[-6:]) == {0, 1}
    assert "1 file that is no image was skipped" in caplog.text
    assert load_data(folder).sha256 == data.sha256
    (folder / "a" / "00.png").rename(folder / "b" / "99.png")
    assert load_data(folder).sha256 != data.sha256


def test_an_unseen_folder_is_judged_whole_and_unknown_labels_are_named(tmp_path: Path) -> None:
    data = load_data(labelled_folder(tmp_path / "set", ("7", "2")))
    x, y = digits_to_judge(data, data.sha256, ("2", "7"))
    assert len(x) == 4
    x, y = digits_to_judge(data, "other", tuple("0123456789"))
    assert len(x) == 20 and set(y) == {2, 7}
    with pytest.raises(SourceError, match="label '7' is none of the network's"):
        digits_to_judge(data, None, ("1", "2"))


def test_folders_that_are_no_data_say_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a folder of IDX files needs all four"):
        load_data(tmp_path)
    labelled_folder(tmp_path / "one", ("a",))
    with pytest.raises(SourceError, match=r"1 folders with images; one for each label"):
        load_data(tmp_path / "one")
    folder = labelled_folder(tmp_path / "two", ("a", "b"))
    (folder / "b" / "03.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(SourceError, match=r"b/03.png"):
        load_data(folder)
