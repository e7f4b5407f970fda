"""Written forms drawn as varied strokes: digits that MNIST's writers did not write, and marks that are no digits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.values import Image
from train.marks import MARK_FORMS, MARKS, Mark
from train.paths import Form, Points, curves, read_forms
from train.pen import PENS, Pen, ink_of

__all__ = ["FORMS", "MARKS", "Mark", "Shape", "Style", "draw_digit", "draw_mark"]

# Which forms there are, and why only those, is told in the table.
DIGIT_FORMS: tuple[tuple[Form, ...], ...] = tuple(read_forms("forms.txt").values())
# And with those that only the numbers around them make digits.
NUMBER_FORMS: tuple[tuple[Form, ...], ...] = tuple(
    usual + hurried for usual, hurried in zip(DIGIT_FORMS, read_forms("number_forms.txt").values(), strict=True)
)
# The names of the forms of each digit.
FORMS: tuple[tuple[str, ...], ...] = tuple(tuple(form.name for form in forms) for forms in DIGIT_FORMS)

_HABIT, _SLIP = 0.022, 0.014  # how far points stray, in heights: between writers, and from one drawing to the next
_LIFTED = 0.02  # how far a whole stroke of several strays


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shape:
    """A form as one hand makes it: its points (n, 2), height 0 to 1."""

    form: Form
    points: Points


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Style:
    """One writer's habits.

    shapes: how this hand writes each of the ten digits. slant: x against y, 0 upright, positive leans right.
    tilt: turn of every sign in radians, clockwise. width: times the usual width. waist: how far the middle of signs
    sits below the usual, taper: how much wider their foot is than their top, bow: how far their middle bulges to the
    right, all in heights. roundness: 0 sharp corners, 1 round. wobble: tremor in heights. slip: how much two drawings
    of one sign differ, 1 is the usual. hooks: how often a stroke begins or ends in a hook, gaps: how often the ink
    fails for a moment, both 0 to 1.
    """

    shapes: tuple[Shape, ...]
    slant: float
    tilt: float
    width: float
    waist: float
    taper: float
    bow: float
    roundness: float
    wobble: float
    slip: float
    hooks: float
    gaps: float
    pen: Pen

    @staticmethod
    def draw(rng: np.random.Generator, *, hurried: bool = False) -> Style:
        """One writer at random; a hurried one also writes what is a digit in a number only."""
        every = NUMBER_FORMS if hurried else DIGIT_FORMS
        return _style(rng, tuple(_shape(rng, _choose(rng, forms)) for forms in every))


def draw_digit(
    rng: np.random.Generator,
    digit: int,
    *,
    height_px: float,
    pen_px: float,
    style: Style | None = None,
    form: str | None = None,
) -> Image:
    """A digit as soft ink (h, w) uint8, tight, 0 paper to 255 ink, height_px high within a pixel.

    style: the writer, None for any. form: one of FORMS[digit] instead of the writer's own. Raises ValueError for an
    unknown form.
    """
    if form is not None:
        shape = _shape(rng, _named(digit, form))
    else:
        shape = style.shapes[digit] if style else _shape(rng, _choose(rng, DIGIT_FORMS[digit]))
    hand = style or _style(rng, ())
    strokes = _write(rng, shape, hand)
    low = min(float(path[:, 1].min()) for path in strokes)
    high = max(float(path[:, 1].max()) for path in strokes)
    scale = max(height_px - pen_px, 1.0) / max(high - low, 1e-6)
    return ink_of(rng, [path * scale for path in strokes], pen=hand.pen, pen_px=pen_px)


def draw_mark(
    rng: np.random.Generator, kind: Mark, *, height_px: float, pen_px: float, style: Style | None = None
) -> Image:
    """A sign that is no digit, as soft ink (h, w) uint8, tight; beside digits of height_px it has its natural size."""
    hand = style or _style(rng, ())
    strokes = _write(rng, _shape(rng, _choose(rng, MARK_FORMS[kind])), hand)
    if kind == "strike":
        digit = int(rng.integers(len(DIGIT_FORMS)))
        strokes += _write(rng, hand.shapes[digit] if style else _shape(rng, _choose(rng, DIGIT_FORMS[digit])), hand)
    return ink_of(rng, [path * max(height_px - pen_px, 1.0) for path in strokes], pen=hand.pen, pen_px=pen_px)


def _style(rng: np.random.Generator, shapes: tuple[Shape, ...]) -> Style:
    return Style(
        shapes=shapes,
        slant=float(rng.normal(0.10, 0.20)),
        tilt=float(rng.normal(0, 0.05)),
        width=float(np.exp(rng.normal(0, 0.22))),
        waist=float(rng.normal(0, 0.06)),
        taper=float(rng.normal(0, 0.18)),
        bow=float(rng.normal(0, 0.02)),
        roundness=float(rng.beta(1, 1.6)),
        wobble=float(rng.gamma(2, 0.003)),
        slip=float(np.exp(rng.normal(0, 0.35))),
        hooks=float(rng.beta(1, 4)),
        gaps=float(rng.beta(0.3, 6)),
        pen=PENS[rng.choice(len(PENS), p=(0.5, 0.15, 0.15, 0.2))],
    )


def _choose(rng: np.random.Generator, forms: tuple[Form, ...]) -> Form:
    place = rng.random() * sum(form.weight for form in forms)
    for form in forms:
        place -= form.weight
        if place < 0:
            return form
    return forms[-1]


def _named(digit: int, name: str) -> Form:
    for form in DIGIT_FORMS[digit]:
        if form.name == name:
            return form
    raise ValueError(f"{digit} has no form {name!r}; it has {', '.join(FORMS[digit])}")


def _shape(rng: np.random.Generator, form: Form) -> Shape:
    """A writer's own version of a form: somewhere between its poses, every point a little elsewhere."""
    # Often near one pose, between two or three, seldom the mean of all, however many there are.
    part = rng.gamma(1.6 / len(form.poses), size=len(form.poses)) + 1e-9
    points = np.tensordot(part / part.sum(), form.poses, axes=1)
    return Shape(form=form, points=points + rng.normal(0, _HABIT * form.loose, points.shape))


def _write(rng: np.random.Generator, shape: Shape, hand: Style) -> list[Points]:
    """The paths of one drawing, in heights."""
    form = shape.form
    points = shape.points + rng.normal(0, _SLIP * hand.slip * form.loose, shape.points.shape)
    if len(form.strokes) > 1:
        points += np.repeat(
            rng.normal(0, _LIFTED * hand.slip * form.loose, (len(form.strokes), 2)), form.strokes, axis=0
        )
    sharp, smooth = curves(form)
    path = (sharp + hand.roundness * (smooth - sharp)) @ points
    path += _tremor(rng, len(path), hand.wobble)
    _warp(rng, path, hand)
    slant = hand.slant + rng.normal(0, 0.03) * hand.slip
    tilt = hand.tilt + rng.normal(0, 0.02) * hand.slip
    width = hand.width * np.exp(rng.normal(0, 0.06) * hand.slip)
    cos, sin = np.cos(tilt), np.sin(tilt)
    path = path @ np.array([[width, 0], [-slant, 1]]) @ np.array([[cos, sin], [-sin, cos]])
    strokes = np.split(path, np.cumsum(form.samples)[:-1])
    if rng.random() < hand.hooks:
        stroke = strokes[rng.integers(len(strokes))]
        _hook(rng, stroke if rng.random() < 0.5 else stroke[::-1])
    if rng.random() < hand.gaps:
        at = int(rng.integers(len(strokes)))
        strokes[at : at + 1] = _broken(rng, strokes[at])
    return strokes


def _warp(rng: np.random.Generator, path: Points, hand: Style) -> None:
    """Shift the proportions of a path in place: where its middle sits, how wide head and foot are, how it bends."""
    own = rng.normal(0, (0.02, 0.05, 0.01)) * hand.slip
    x, y = path[:, 0], path[:, 1]
    arch = 4 * y * (1 - y)  # 0 at head and foot, 1 in the middle
    x += (hand.taper + own[1]) * (y - 0.5) * (x - x.mean()) + (hand.bow + own[2]) * arch
    # Signs that reach far above or below the digits would be torn by the arch: it ends at head and foot.
    y += np.clip(hand.waist + own[0], -0.12, 0.12) * np.maximum(arch, 0)


def _tremor(rng: np.random.Generator, count: int, wobble: float) -> npt.NDArray[np.float64]:
    knots = np.arange(0, count + 4, 4)
    stray = rng.normal(0, wobble, (2, len(knots)))
    at = np.arange(count)
    return np.stack([np.interp(at, knots, stray[0]), np.interp(at, knots, stray[1])], axis=1)


def _hook(rng: np.random.Generator, stroke: Points) -> None:
    """Bend the last samples of a stroke, in place: the pen is already on its way to the next sign."""
    tail = min(len(stroke) // 2, 5)
    bend = np.linspace(0, 1, tail)[:, None] ** 2
    stroke[len(stroke) - tail :] += bend * rng.normal(0, 0.05, 2)


def _broken(rng: np.random.Generator, stroke: Points) -> list[Points]:
    """The stroke in two pieces, a sample or two apart; whole if it is short."""
    if len(stroke) < 20:
        return [stroke]
    at = int(rng.integers(7, len(stroke) - 8))
    return [stroke[:at], stroke[at + int(rng.integers(1, 3)) :]]
