"""The pictures of the workstation, as PNG bytes; drawn without a display."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.inference.certainty import ERRORS, Certainty
from edge.inference.interval import wilson
from train.data import Images
from train.run import Epoch, best_epoch

TRAINING, HELD_BACK, WRONG = "#1f6fb2", "#e07b1a", "#c0392b"
GREY = "#666666"
ROWS, COLUMNS = 4, 6
DPI = 120


def _subplots(
    rows: int, columns: int, size: tuple[float, float], width_ratios: tuple[float, ...] | None = None
) -> tuple[Any, npt.NDArray[Any]]:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    figure, axes = plt.subplots(
        rows, columns, figsize=size, squeeze=False, layout="constrained", width_ratios=width_ratios
    )
    return figure, axes


def _png(figure: Any) -> bytes:
    import matplotlib.pyplot as plt

    content = io.BytesIO()
    # Without the metadata the same data give the same bytes.
    figure.savefig(content, format="png", dpi=DPI, metadata={"Software": None})
    plt.close(figure)
    return content.getvalue()


def draw_digits(images: Images, captions: Sequence[str], title: str, *, wrong: bool = False) -> bytes:
    """Up to 24 digits (n, 28, 28) uint8 in 4 rows of 6, each under its caption; `wrong` colours the captions red."""
    figure, axes = _subplots(ROWS, COLUMNS, (9, 7.2 if not wrong else 8))
    figure.suptitle(title, fontsize=13)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, caption in zip(axes.flat, images, captions, strict=False):
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
        axis.set_title(caption, fontsize=10 if wrong else 12, color=WRONG if wrong else "black", pad=3)
    return _png(figure)


def draw_rows(rows: Sequence[tuple[str, Images]], title: str) -> bytes:
    """Rows of equally many digits (n, 28, 28) uint8 at the most, each with its label on the left."""
    side, columns = rows[0][1].shape[1], max(len(images) for _, images in rows)
    mosaic = np.zeros((len(rows) * (side + 2), columns * (side + 2)), np.uint8)
    for y, (_, images) in enumerate(rows):
        for x, image in enumerate(images):
            mosaic[y * (side + 2) + 1 : (y + 1) * (side + 2) - 1, x * (side + 2) + 1 : (x + 1) * (side + 2) - 1] = image
    figure, axes = _subplots(1, 1, (0.62 * columns + 0.6, 0.62 * len(rows) + 0.5))
    figure.suptitle(title, fontsize=13)
    axis = axes[0, 0]
    axis.imshow(mosaic, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    middles = (np.arange(len(rows)) + 0.5) * (side + 2) - 0.5
    axis.set_yticks(middles, [label for label, _ in rows])
    axis.set_xticks([])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    return _png(figure)


def draw_strips(strips: Sequence[Images], texts: Sequence[str], title: str) -> bytes:
    """Strips (32, W) uint8 of any width in three columns, each under its text."""
    rows = -(-len(strips) // 3)
    widest = max(strip.shape[1] for strip in strips)
    figure, axes = _subplots(rows, 3, (10, 0.64 * rows + 0.5))
    figure.suptitle(title, fontsize=13)
    for axis in axes.flat:
        axis.axis("off")
    for axis, strip, text in zip(axes.T.flat, strips, texts, strict=False):
        padded = np.zeros((strip.shape[0], widest), np.uint8)
        padded[:, : strip.shape[1]] = strip
        axis.imshow(padded, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
        axis.set_title(text or "(no number)", fontsize=9, loc="left", pad=2)
    return _png(figure)


def draw_curves(history: tuple[Epoch, ...]) -> bytes:
    """Accuracy and loss over the epochs, training and held back, the best epoch marked."""
    figure, axes = _subplots(1, 2, (10, 4))
    epochs = [e.epoch for e in history]
    best = best_epoch(history)
    for axis, name in zip(axes.flat, ("accuracy", "loss"), strict=True):
        scale = 100 if name == "accuracy" else 1
        trained = [getattr(e, name) * scale for e in history]
        held = [getattr(e, f"val_{name}") * scale for e in history]
        axis.plot(epochs, trained, "o-", color=TRAINING, label="training")
        if not np.isnan(held).all():
            axis.plot(epochs, held, "o-", color=HELD_BACK, label="held back")
        axis.axvline(best, color=GREY, linestyle=":", linewidth=1, label=f"best epoch: {best}")
        axis.set_xlabel("epoch")
        axis.set_title(f"{name} in %" if name == "accuracy" else name)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.25)
    axes.flat[0].legend(frameon=False, loc="lower right")
    return _png(figure)


def draw_confusion(
    confusion: npt.NDArray[np.int64], labels: tuple[str, ...], rows: Sequence[Sequence[str]], title: str
) -> bytes:
    """The confusion matrix (row: what it is, column: what was read) beside `rows`: label, n, precision, recall.

    Only mistakes are coloured by their count: beside the thousands that are right all of them would look white.
    """
    side = max(6.0, 0.55 * len(labels) + 1.0)
    figure, axes = _subplots(1, 2, (side + 4.2, side), width_ratios=(side, 4.0))
    figure.suptitle(title, fontsize=13)
    axis = axes[0, 0]
    mistakes = confusion.copy()
    np.fill_diagonal(mistakes, 0)
    top = max(int(mistakes.max()), 1)
    axis.imshow(mistakes, cmap="Reds", vmin=0, vmax=top * 1.25)
    for row, column in np.argwhere((confusion > 0) | np.eye(len(labels), dtype=bool)):
        if row == column:
            axis.add_patch(_square(row))
        white = row == column or confusion[row, column] > 0.6 * top
        count = f"{confusion[row, column]}"
        axis.text(column, row, count, ha="center", va="center", color="white" if white else "black")
    axis.set_xticks(range(len(labels)), labels)
    axis.set_yticks(range(len(labels)), labels)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_xlabel("read as")
    axis.set_ylabel("is")
    _draw_table(axes[0, 1], ("digit", "n", "precision", "recall"), rows)
    return _png(figure)


def draw_certainty(series: Sequence[Certainty], title: str, threshold: float | None) -> bytes:
    """Accuracy against confidence in ten bins with counts and intervals; the error left when the unsure are refused.

    threshold: where reading begins, marked; None for none.
    """
    figure, axes = _subplots(1, 2, (11, 4.6))
    figure.suptitle(title, fontsize=13)
    for at, (one, color) in enumerate(zip(series, (TRAINING, HELD_BACK), strict=False)):
        _draw_reliability(axes[0, 0], one, color, at)
        _draw_refusals(axes[0, 1], one, color, threshold)
    axes[0, 0].plot((0, 100), (0, 100), ":", color=GREY, linewidth=1)
    axes[0, 0].set(xlabel="confidence in %", ylabel="right in %", xlim=(0, 101), ylim=(-12, 102))
    axes[0, 0].legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 0.1))
    axes[0, 1].set(xlabel="refused in %", ylabel="wrong among the rest in %", xlim=(0, None))
    axes[0, 1].set_yscale("symlog", linthresh=0.1)
    top = max(2.0, axes[0, 1].get_ylim()[1])
    axes[0, 1].set_yticks([0, *(100 * error for error in ERRORS), 5, 10, 50])
    axes[0, 1].yaxis.set_major_formatter("{x:g}")
    axes[0, 1].set_ylim(0, top)
    for axis in axes.flat:
        axis.grid(alpha=0.25)
    axes[0, 1].legend(frameon=False, loc="upper right")
    return _png(figure)


def _draw_reliability(axis: Any, one: Certainty, color: str, at: int) -> None:
    """Points at each bin's mean confidence and accuracy with its Wilson interval; the counts along the foot."""
    filled = [(place, part) for place, part in enumerate(one.bins()) if part.n]
    x = [100 * part.confidence for _, part in filled]
    y = [100 * part.right / part.n for _, part in filled]
    low, high = zip(*(wilson(part.right, part.n) for _, part in filled), strict=True)
    spread = ([h - 100 * b for h, b in zip(y, low, strict=True)], [100 * b - h for h, b in zip(y, high, strict=True)])
    label = f"{one.name}: ECE {one.ece:.2%}"
    axis.errorbar(x, y, yerr=np.maximum(spread, 0), fmt="o", color=color, markersize=4, capsize=2, label=label)
    for place, part in filled:
        axis.text(10 * place + 5, -5 - 5 * at, f"{part.n:,}", color=color, fontsize=7, ha="center", va="center")


def _draw_refusals(axis: Any, one: Certainty, color: str, threshold: float | None) -> None:
    refused, errors, confidence = one.curve()
    kept = np.flatnonzero(confidence >= (1.0 if threshold is None else threshold))
    # What lies far right of the strictest error and of the threshold is of little use to anybody.
    strict = 3 * (1 - one.read_at(min(ERRORS)).share)
    shown = refused <= max(0.05, strict, 1.1 * refused[kept[-1]] if len(kept) else 0.0)
    axis.plot(100 * refused[shown], 100 * errors[shown], color=color, label=f"{one.name}, n = {len(one.right):,}")
    if threshold is not None and len(kept):
        place = 100 * refused[kept[-1]], 100 * errors[kept[-1]]
        axis.plot(*place, "o", color=color, label=f"threshold {threshold:.3f}: {place[1]:.2f} % wrong")


def _draw_table(axis: Any, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    axis.axis("off")
    table = axis.table(cellText=rows, colLabels=heads, cellLoc="right", edges="horizontal", bbox=(0.0, 0.0, 1.0, 1.0))
    table.auto_set_font_size(False)
    table.set_fontsize(10)
    for (row, _), cell in table.get_celld().items():
        cell.set_edgecolor("#cccccc")
        if row == 0:
            cell.set_text_props(weight="bold")


def _square(at: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((at - 0.5, at - 0.5), 1, 1, facecolor=TRAINING)
