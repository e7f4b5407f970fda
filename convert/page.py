"""Parity as one HTML file that needs nothing else: tables, and each picture on which model and Keras differ."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Any

import cv2
import numpy as np

from convert.figures import Measured, Parity, Row
from convert.judges import Chances, Judge
from convert.report import COLUMNS, parity_lines, sentences
from edge.values import Image

_ENLARGED = 5

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 78rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #8884; white-space: nowrap; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; }
tr.broken td { background: #d3302f22; }
.verdict { font-weight: 600; } .met { color: #1b7f3b; } .missed { color: #d3302f; }
.digits { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; border: 1px solid #8884; border-radius: 6px; padding: .6rem; }
figure img { display: block; image-rendering: pixelated; border-radius: 3px; }
figcaption { font-size: .85rem; font-variant-numeric: tabular-nums; margin-top: .4rem; }
.right { font-weight: 600; }
"""


def parity_page(parity: Parity) -> str:
    """The page's HTML; pictures are in it as data, and it loads nothing."""
    met = not parity.broken_gates
    verdict = (
        f'<p class="verdict {"met" if met else "missed"}">{"Every gate is met." if met else "A gate was not met."}</p>'
    )
    body = [
        f"<h1>Parity: Keras and TFLite on the same {parity.unit}s</h1>",
        verdict,
        f"<p>Keras reads {parity.keras_accuracy:.2f} % of {parity.n:,} {parity.unit}s right ({escape(parity.data)}). "
        f"The drop is in points against Keras on the same {parity.unit}s, Δp the difference of a probability at "
        f"temperature 1, µs the time of one {parity.unit} through the edge's own reader on one thread of this "
        "machine.</p>",
        _table(
            COLUMNS,
            [parity_lines(row) for row in parity.rows],
            [bool(row.broken_gates(parity.gates)) for row in parity.rows],
        ),
    ]
    if parity.pairs:
        lines = [(p.model, f"{p.first} / {p.second}", f"{p.n:,}", f"{p.agreement:.2f}") for p in parity.pairs]
        broken = [bool(p.broken_gates(parity.gates)) for p in parity.pairs]
        body += ["<h2>Between the runtimes</h2>", _table(("model", "runtimes", "n", "agree %"), lines, broken)]
    body += [f"<p>{escape(sentence)}</p>" for sentence in sentences(parity)]
    measured = [(row, row.measured) for row in parity.rows if row.measured is not None]
    body += [_differing(row, found, parity) for row, found in measured if len(found.differing)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Parity</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], broken: Sequence[bool]) -> str:
    lines = [
        f"<tr{' class=broken' if bad else ''}>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row, bad in zip(rows, broken, strict=True)
    ]
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    return f'<div class="wide"><table><tr>{titles}</tr>{"".join(lines)}</table></div>'


def _differing(row: Row, found: Measured, parity: Parity) -> str:
    """A section with a picture of each digit or strip on which a model and Keras decide differently."""
    place = escape(f"{row.manifest.name} on {row.runtime}")
    title = f"<h2>{place}: {len(found.differing)} of {found.n:,} differ</h2>"
    figures = [_figure(found, int(index), parity) for index in found.differing]
    return title + f'<div class="digits">{"".join(figures)}</div>'


def _figure(found: Measured, index: int, parity: Parity) -> str:
    truth, number = found.expected[index], int(found.indices[index])
    is_what = escape(parity.judge.word(truth))
    return (
        f'<figure><img alt="{parity.unit} {number}, a {is_what}" src="{_picture(found.tensors[index, ..., 0])}">'
        f"<figcaption>#{number}, is {is_what}<br>Keras {_ranked(found.keras[index], truth, parity.judge)}<br>"
        f"TFLite {_ranked(found.tflite[index], truth, parity.judge)}</figcaption></figure>"
    )


def _ranked(chances: Chances, truth: Any, judge: Judge) -> str:
    """The most probable decisions with their percentages; the right one in bold."""
    said = [
        (decision, f"{escape(judge.word(decision))}&nbsp;{100 * p:.1f}&nbsp;%") for decision, p in judge.ranked(chances)
    ]
    return ", ".join(f'<span class="right">{word}</span>' if decision == truth else word for decision, word in said)


def _picture(ink: Image) -> str:
    """The (H, W) ink of a digit or strip as a data URL of a PNG: dark on light, enlarged without smoothing."""
    columns = int(np.flatnonzero(ink.any(axis=0)).max(initial=ink.shape[0] - 1)) + 1  # without a strip's padding
    paper = cv2.resize(255 - ink[:, :columns], None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_NEAREST)
    _, content = cv2.imencode(".png", paper)
    return "data:image/png;base64," + base64.b64encode(content.tobytes()).decode("ascii")
