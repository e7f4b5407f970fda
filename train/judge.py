"""Asking a network: what it says of one digit or of all test digits, and which ones it misreads."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError, UsageError
from train.data import Images, Labels, as_input, digits_to_judge, load_data
from train.model import Model
from train.pictures import read_picture
from train.plots import COLUMNS, ROWS, draw_digits
from train.run import REPRESENTATIVE, Trained, load_trained, make_folder, write_file

Probabilities: TypeAlias = npt.NDArray[np.float32]

BATCH = 256
SHOWN = ROWS * COLUMNS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """A network, the digits it is judged by, and what it says: probabilities (n, L)."""

    trained: Trained
    x: Images
    y: Labels
    probabilities: Probabilities
    data: str
    sha256: str

    @property
    def wrong(self) -> npt.NDArray[np.int64]:
        """Indices of the digits it misreads."""
        return np.flatnonzero(self.probabilities.argmax(axis=1) != self.y)


def judge(run: Path, data: Path | None = None) -> Judged:
    """What the network of RUN says of the test digits of `data`, or of the data it was trained on.

    Raises ModelError or SourceError if either cannot be used.
    """
    trained = load_trained(run)
    x, y, name, sha256 = _digits(trained, data)
    probabilities = ask(trained.network, x)
    return Judged(trained=trained, x=x, y=y, probabilities=probabilities, data=name, sha256=sha256)


def ask(network: Model, images: Images) -> Probabilities:
    """Probabilities (n, L) of images (n, 28, 28) uint8."""
    said: Probabilities = network.predict(as_input(images), batch_size=BATCH, verbose=0)
    return said


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Said:
    """What a network says of labelled digits: probabilities (n, L) and the indices of the right labels (n,)."""

    probabilities: Probabilities
    y: Labels


def ask_heldback(trained: Trained) -> Said | None:
    """What a network says of the digits that its run folder keeps held back; None if it keeps none.

    Raises ModelError if the file is damaged.
    """
    place = trained.folder / REPRESENTATIVE
    if trained.record is None or not place.is_file():
        return None
    try:
        with np.load(place, allow_pickle=False) as content:
            images, y = content["heldback_images"], content["heldback_labels"].astype(np.int64)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{place}: damaged ({error}); train again") from error
    return Said(probabilities=ask(trained.network, images), y=y) if len(images) else None


def _digits(trained: Trained, data: Path | None) -> tuple[Images, Labels, str, str]:
    record = trained.record
    place = data or (Path(record.source) if record and record.source else None)
    found = load_data(place)
    x, y = digits_to_judge(found, record.data.sha256 if record else None, trained.labels)
    return x, y, found.name, found.sha256


def probabilities_text(labels: tuple[str, ...], probabilities: Probabilities) -> str:
    """A line for each label in their order: `7: 99.9999940395%`; as many decimals as float32 can mean."""
    return "\n".join(f"{label}: {float(p) * 100:.10f}%" for label, p in zip(labels, probabilities, strict=True))


def predict(run: Path, *, picture: Path | None = None, index: int | None = None, data: Path | None = None) -> str:
    """The probabilities for one picture, or for the test digit with that index, a line for each label.

    Raises UsageError unless exactly one of them is given, or if there is no such index.
    """
    if (picture is None) == (index is None):
        raise UsageError("name either a picture or --index N, the number of a test digit")
    trained = load_trained(run)
    if picture is not None:
        image = read_picture(picture)
    else:
        x = _digits(trained, data)[0]
        image = x[_checked((index or 0,), len(x))[0]]
    return probabilities_text(trained.labels, ask(trained.network, image[None])[0])


def mistakes(
    run: Path,
    *,
    data: Path | None = None,
    seed: int | None = None,
    show: tuple[int, ...] = (),
    output: Path | None = None,
) -> str:
    """How many digits RUN misreads and which, the probabilities of those in `show`; draws 24 of them.

    The picture is `output`, or mistakes.png in the run folder; seed None shows the first, a seed a random choice.
    """
    judged = judge(run, data)
    shown = _checked(show, len(judged.x))
    wrong, labels = judged.wrong, judged.trained.labels
    chosen = wrong[:SHOWN]
    if seed is not None and len(wrong) > SHOWN:
        chosen = np.sort(np.random.default_rng(seed).choice(wrong, SHOWN, replace=False))
    read = judged.probabilities.argmax(axis=1)
    place = output or judged.trained.folder / "mistakes.png"
    make_folder(place.parent)
    captions = [f"#{i}: {labels[read[i]]}, is {labels[judged.y[i]]}" for i in chosen]
    count = f"{len(wrong):,} of {len(judged.x):,} digits misread ({len(wrong) / len(judged.x):.2%})"
    title = f"{count}; index, read as, is"
    write_file(place, draw_digits(judged.x[chosen], captions, title, wrong=True))
    lines = [count, f"{len(chosen)} of them in {place}:", "", " index  read as  is  confidence"]
    lines += [
        f"{i:6}  {labels[read[i]]:>7} {labels[judged.y[i]]:>3} {judged.probabilities[i].max():11.2%}" for i in chosen
    ]
    for i in shown:
        lines += ["", f"#{i}, is {labels[judged.y[i]]}", probabilities_text(labels, judged.probabilities[i])]
    return "\n".join(lines)


def _checked(indices: tuple[int, ...], n: int) -> tuple[int, ...]:
    for index in indices:
        if not 0 <= index < n:
            raise UsageError(f"there is no test digit {index}; they count from 0 to {n - 1}")
    return indices
