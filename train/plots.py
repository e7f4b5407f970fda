"""The pictures of the workstation, as PNG bytes; drawn without a display."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

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
