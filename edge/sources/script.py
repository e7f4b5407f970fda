"""Scripted scenes of the simulated desk: kinds of things that happen before a camera, and what is there to be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from edge.sources.desk import DeskRanges
from edge.sources.stage import Moment, Pose, Stage
from edge.values import Box

FRAMES_PER_S = 15
KEPT_S = 1.0  # a number that cannot be seen for less long is still there
_SHUTTER = (0.2, 0.5)  # of a frame's time, how long the shutter is open
_AFTER = 26  # frames of an empty table after a scene: what has left is told before the next begins
_SEEN_LEVEL = 0.3  # in less light than this part nothing can be read
_STEADY_STREAK = 0.15  # of a number's height: it is smeared beyond reading when it moves further in a frame's exposure
_MARGIN_PX = 8
_TILT_DEG = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A text that is there to be read from one frame to another.

    first, end: frames, half-open, in which it can be read but for gaps shorter than KEPT_S; there: the frame from which
    it is there at all, perhaps smeared. replaces: another text stood in its place to the frame before; replaced:
    likewise after it. boxes: where it is, for each frame from `there` to before `end`.
    """

    text: str
    there: int
    first: int
    end: int
    boxes: tuple[Box, ...]
    replaces: bool = False
    replaced: bool = False

    def box(self, frame: int) -> Box:
        """Where it is in a frame, or was at the nearest one of its life."""
        return self.boxes[min(max(frame - self.there, 0), len(self.boxes) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Play:
    """One scripted scene: its kind, its stage, a Moment for each frame, and what is there to be read."""

    kind: str
    stage: Stage
    moments: tuple[Moment, ...]
    spells: tuple[Spell, ...]


@dataclass(slots=True, kw_only=True)
class _Film:
    """Moments as they are shot."""

    rng: np.random.Generator
    stage: Stage
    now: Moment = field(default_factory=Moment)
    moments: list[Moment] = field(default_factory=list)

    def hold(self, frames: int, **changes: object) -> None:
        """So many frames of the present moment, changed first."""
        self.now = replace(self.now, **changes)  # type: ignore[arg-type]
        self.moments += [self.now] * frames

    def lay(self, frames: int) -> None:
        """Lay the sheet with all that was written at first."""
        first = tuple(at for at in range(len(self.stage.numbers)) if at not in self.stage.rewritten)
        self.hold(frames, written=first)

    def push(self, to: Pose, frames: int) -> None:
        """Push the sheet, slowly at both ends, in so many frames."""
        begin, shutter = self.now.pose, self.rng.uniform(*_SHUTTER)
        before = begin
        for step in range(1, frames + 1):
            part = 0.5 - 0.5 * np.cos(np.pi * step / frames)
            pose = Pose(**{key: a + part * (b - a) for key, a, b in _pairs(begin, to)})
            streak = (shutter * (pose.x - before.x), shutter * (pose.y - before.y))
            self.moments.append(replace(self.now, pose=pose, streak=streak))
            before = pose
        self.now = replace(self.now, pose=to)

    def reach(self, path: list[tuple[float, float]]) -> None:
        """Move the hand along offsets from its rest, a frame each."""
        for x, y in path:
            self.moments.append(replace(self.now, hand=(round(x), round(y))))

    def somewhere(self, least_px: float, most_px: float) -> Pose:
        """A pose so far from the present one that leaves every number in view, no more tilted than the desk allows."""
        for _ in range(60):
            angle, far = self.rng.uniform(0, 2 * np.pi), self.rng.uniform(least_px, most_px)
            turn = self.rng.uniform(-10, 10)
            now = self.now.pose
            pose = Pose(x=now.x + far * np.cos(angle), y=now.y + far * np.sin(angle), turn_deg=turn)
            if self._in_view(pose):
                return pose
        return Pose()

    def hand_path(self, frames: int) -> list[tuple[float, float]]:
        """Offsets of a hand that comes in to its rest in so many frames."""
        out = 1.1 * self.stage.size[0] * -self.stage.hand.along
        return [((1 - step / frames) * out[0], (1 - step / frames) * out[1]) for step in range(1, frames + 1)]

    def covering_path(self, frames: int) -> list[tuple[float, float]]:
        """Offsets of a hand that comes to lie over some numbers and leaves the others free; none if it cannot."""
        for _ in range(60):
            rest = self.rng.uniform(-300, 300, 2)
            moment = replace(self.now, hand=(round(rest[0]), round(rest[1])))
            parts = [self.stage.covered(number, moment) for number in self.now.written or ()]
            if any(parts) and all(part in {0.0, 1.0} for part in parts):
                return [(x + rest[0], y + rest[1]) for x, y in self.hand_path(frames)]
        return []

    def sweep_path(self) -> list[tuple[float, float]]:
        """Offsets of a hand that passes across the picture at 500 to 1,100 px/s."""
        along = self.stage.hand.along
        across = np.array([-along[1], along[0]]) * self.rng.choice((-1, 1))
        step, far = self.rng.uniform(500, 1100) / FRAMES_PER_S, 1.0 * self.stage.size[0]
        return [(across[0] * place, across[1] * place) for place in np.arange(-far, far, step)]

    def _in_view(self, pose: Pose) -> bool:
        for number in range(len(self.stage.numbers)):
            quad = self.stage.quad(number, pose)
            tilt = np.rad2deg(np.arctan2(*(quad[1] - quad[0])[::-1]))
            inside = (quad > _MARGIN_PX).all() and (quad < np.array(self.stage.size) - _MARGIN_PX).all()
            if not inside or abs(tilt) > _TILT_DEG:
                return False
        return True


def _pairs(one: Pose, other: Pose) -> list[tuple[str, float, float]]:
    return [(key, getattr(one, key), getattr(other, key)) for key in ("x", "y", "turn_deg")]


def _still(film: _Film) -> None:
    film.lay(45)


def _moved(film: _Film) -> None:
    film.lay(20)
    for _ in range(2):
        film.push(film.somewhere(40, 220), int(film.rng.integers(9, 30)))
        film.hold(12)


def _blurred(film: _Film) -> None:
    side = film.rng.choice((-1, 1))
    film.now = replace(film.now, pose=Pose(x=side * 640.0))
    film.lay(0)
    film.push(Pose(), int(film.rng.integers(5, 9)))
    film.hold(25)
    film.push(film.somewhere(120, 300), int(film.rng.integers(4, 7)))
    film.hold(25)


def _replaced(film: _Film) -> None:
    film.lay(25)
    for new, place in film.stage.rewritten.items():
        kept = tuple(at for at in film.now.written or () if at != place and film.stage.rewritten.get(at) != place)
        film.hold(25, written=(*kept, new))


def _covered(film: _Film) -> None:
    film.lay(20)
    if film.rng.random() < 0.6:
        film.reach(film.sweep_path())
        film.hold(20)
        return
    away = int(film.rng.integers(27, 40))
    path = film.covering_path(int(film.rng.integers(4, 9)))
    if path:
        film.reach([*path, *[path[-1]] * away, *path[::-1]])
        film.hold(25)
        return
    written = film.now.written
    film.hold(away, written=())  # an empty sheet on top
    film.hold(25, written=written)


def _two(film: _Film) -> None:
    one, other = (0, 1) if film.rng.random() < 0.5 else (1, 0)
    if film.rng.random() < 0.3:
        film.lay(22)
        film.push(film.somewhere(40, 200), int(film.rng.integers(9, 30)))
        film.hold(20)
        return
    film.hold(22, written=(one,))
    film.hold(22, written=(one, other))
    film.hold(26, written=(other,))


def _lights(film: _Film) -> None:
    film.lay(18)
    film.hold(15, lamp=1)
    film.hold(int(film.rng.integers(2, 9)), level=0.1)
    film.hold(12, level=1.0, lamp=int(film.rng.integers(2)))
    speed = film.rng.uniform(300, 900) / FRAMES_PER_S
    for edge in np.arange(-20, film.stage.size[0] + 20, speed):
        film.moments.append(replace(film.now, shade=float(edge)))
    film.hold(10)


def _nothing(film: _Film) -> None:
    film.hold(6, written=() if film.rng.random() < 0.7 else None)
    path = film.hand_path(int(film.rng.integers(5, 12)))
    film.reach(path)
    film.reach([path[-1]] * 20)
    film.reach(path[::-1])
    film.hold(10, lamp=1)
    film.reach(film.sweep_path())


KINDS: dict[str, Callable[[_Film], None]] = {
    "still": _still,
    "moved": _moved,
    "blurred": _blurred,
    "replaced": _replaced,
    "covered": _covered,
    "two": _two,
    "lights": _lights,
    "nothing": _nothing,
}
_TRIES = 40


def write_play(rng: np.random.Generator, ranges: DeskRanges, kind: str) -> Play:
    """A play of a kind of KINDS at random within ranges, its numbers plainly there or plainly not.

    A script that would leave it open whether something has gone is written anew.
    """
    own = ranges
    if kind == "two":
        own = replace(ranges, numbers=replace(ranges.numbers, numbers=(2, 2)))
    for _ in range(_TRIES):
        stage = Stage.draw(rng, own, rewrite=2 if kind == "replaced" else 0)
        if kind == "two" and len(stage.numbers) < 2:
            continue
        film = _Film(rng=rng, stage=stage)
        KINDS[kind](film)
        # Some scenes are followed by the next at once, as when a page is turned.
        after = 0 if kind == "still" and rng.random() < 0.5 else _AFTER
        moments = (*film.moments, *[Moment()] * after)
        spells = _spells(stage, moments)
        if spells is not None:
            return Play(kind=kind, stage=stage, moments=moments, spells=spells)
    raise ValueError(f"no play of kind {kind} comes out plain")


def _spells(stage: Stage, moments: tuple[Moment, ...]) -> tuple[Spell, ...] | None:
    """What is there to be read; None if a number is away for about KEPT_S, or there too shortly to be read."""
    found: list[tuple[int, Spell]] = []
    for number, written in enumerate(stage.numbers):
        there = [number in (moment.written or ()) for moment in moments]
        runs = _runs([at for at, moment in enumerate(moments) if _can_be_read(stage, number, moment)])
        if runs is None:
            return None
        for first, end in runs:
            begin = first
            while begin > 0 and there[begin - 1]:
                begin -= 1
            boxes = tuple(stage.box(number, moments[at].pose) for at in range(begin, end))
            place = stage.rewritten.get(number, number)
            found.append((place, Spell(text=written.text, there=begin, first=first, end=end, boxes=boxes)))
    ends = {(place, spell.end) for place, spell in found}
    starts = {(place, spell.first) for place, spell in found}
    spells = (
        replace(spell, replaces=(place, spell.first) in ends, replaced=(place, spell.end) in starts)
        for place, spell in found
    )
    return tuple(sorted(spells, key=lambda spell: (spell.first, spell.boxes[0].top)))


def _runs(frames: list[int]) -> list[tuple[int, int]] | None:
    """Half-open runs of frames, short gaps bridged; None if a gap or a run is of a length that leaves it open."""
    runs: list[tuple[int, int]] = []
    for at in frames:
        away = (at - runs[-1][1]) / FRAMES_PER_S if runs else np.inf
        if 0.9 * KEPT_S < away < 1.6 * KEPT_S:
            return None
        if away < KEPT_S:
            runs[-1] = (runs[-1][0], at + 1)
        else:
            runs.append((at, at + 1))
    return runs if all(end - first >= FRAMES_PER_S for first, end in runs) else None


def _can_be_read(stage: Stage, number: int, moment: Moment) -> bool:
    """True if a number is there, in light, all of it in view and hardly moving."""
    if number not in (moment.written or ()) or moment.level < _SEEN_LEVEL:
        return False
    if float(np.hypot(*moment.streak)) > max(1.5, _STEADY_STREAK * stage.numbers[number].height_px):
        return False
    box = stage.box(number, moment.pose)
    if box.left < 0 or box.top < 0 or box.right > stage.size[0] or box.bottom > stage.size[1]:
        return False
    return stage.covered(number, moment) == 0.0
