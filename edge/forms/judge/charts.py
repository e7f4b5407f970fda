"""Two drawings of how far a confidence can be trusted, as SVG: errors against what is refused, and reliability."""

from __future__ import annotations

from collections.abc import Sequence

from edge.inference.certainty import Bin, Certainty
from edge.inference.interval import wilson

_WIDTH, _HEIGHT = 520, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 24, 14, 48
# A line of more points than the picture has pixels says no more.
_MOST_POINTS = 500
# Where the scale of errors may end; never below 1 %, so that chance does not look like a mountain.
_SCALES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def error_curve(certainty: Certainty, *, now: tuple[float, float] | None = None) -> str:
    """The error among the values put out against the share refused, both from 0; now: where the job stands."""
    refused, errors, _ = certainty.curve()
    most = max(float(errors.max(initial=0.0)), 0.0 if now is None else now[1])
    top = next(scale for scale in _SCALES if most <= scale)
    step = max(1, len(refused) // _MOST_POINTS)
    points = [(float(x), float(y) / top) for x, y in zip(refused, errors, strict=True)]
    points = points[::step] + points[-1:]
    parts = [_axes("refused (for a person), share of values", "wrong among the others", 1.0, top)]
    parts.append(f'<polyline class="line" points="{" ".join(_at(x, y) for x, y in points)}"/>')
    if now is not None:
        x, y = _at(now[0], now[1] / top).split(",")
        parts.append(f'<circle class="dot" cx="{x}" cy="{y}" r="5"/>')
        anchor, shift = ("start", 9) if now[0] < 0.6 else ("end", -9)
        parts.append(f'<text x="{float(x) + shift:.1f}" y="{float(y) - 8:.1f}" text-anchor="{anchor}">this job</text>')
    return _svg("Error against what is refused", parts)


def reliability(bins: Sequence[Bin]) -> str:
    """How many are right of those with a certain confidence, tenth by tenth, with 95 % intervals."""
    parts = [_axes("confidence", "right", 1.0, 1.0)]
    start, end = _at(0, 0).split(","), _at(1, 1).split(",")
    parts.append(f'<line class="ideal" x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}"/>')
    for one in bins:
        if one.n:
            low, high = wilson(one.right, one.n)
            x, bottom = _at(one.confidence, low).split(",")
            _, top = _at(one.confidence, high).split(",")
            _, y = _at(one.confidence, one.right / one.n).split(",")
            parts.append(f'<line class="span" x1="{x}" y1="{bottom}" x2="{x}" y2="{top}"/>')
            parts.append(f'<circle class="dot" cx="{x}" cy="{y}" r="4"><title>n = {one.n}</title></circle>')
    return _svg("Reliability of the confidence", parts)


def _svg(title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}"><title>{title}</title>'
        + "".join(parts)
        + "</svg>"
    )


def _axes(across: str, up: str, most_across: float, most_up: float) -> str:
    parts = []
    for tick in range(6):
        share = tick / 5
        x, bottom = _at(share, 0).split(",")
        _, top = _at(share, 1).split(",")
        parts.append(f'<line class="grid" x1="{x}" y1="{bottom}" x2="{x}" y2="{top}"/>')
        parts.append(
            f'<text x="{x}" y="{float(bottom) + 16:.1f}" text-anchor="middle">{_percent(share * most_across)}</text>'
        )
        left, y = _at(0, share).split(",")
        right, _ = _at(1, share).split(",")
        parts.append(f'<line class="grid" x1="{left}" y1="{y}" x2="{right}" y2="{y}"/>')
        place = f'x="{float(left) - 6:.1f}" y="{float(y) + 4:.1f}"'
        parts.append(f'<text {place} text-anchor="end">{_percent(share * most_up)}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 10}" text-anchor="middle">{across}</text>')
    height = (_TOP + _HEIGHT - _BOTTOM) / 2
    parts.append(f'<text transform="translate(14 {height}) rotate(-90)" text-anchor="middle">{up}</text>')
    return "".join(parts)


def _at(x: float, y: float) -> str:
    """Pixels of a place, both coordinates in 0 to 1, y upwards."""
    across = _LEFT + x * (_WIDTH - _LEFT - _RIGHT)
    down = _HEIGHT - _BOTTOM - min(y, 1.0) * (_HEIGHT - _TOP - _BOTTOM)
    return f"{across:.1f},{down:.1f}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 or not share else f"{share:.1%}" if share >= 0.01 else f"{share:.2%}"
