"""Scripted scenes: their truth is true, every kind comes, and the same seed shows the same."""

from __future__ import annotations

from itertools import islice

import cv2
import numpy as np
import pytest

from edge.sources.demo import open_demo
from edge.sources.desk import EASY, FULL
from edge.sources.script import FRAMES_PER_S, KEPT_S, KINDS, Play, Spell, write_play
from edge.sources.scripted import ScriptSource
from edge.sources.stage import Moment, Pose


@pytest.fixture(scope="module")
def plays() -> dict[str, list[Play]]:
    """An easy play of each kind."""
    return {kind: [write_play(np.random.default_rng((7, 0)), EASY, kind)] for kind in KINDS}


def ink_contrast(play: Play, spell: Spell, frame: int) -> float:
    """How much darker the darkest of a number's box is than most of it, 0 to 1."""
    box = spell.box(frame)
    part = play.stage.picture(play.moments[frame])[box.top : box.bottom, box.left : box.right]
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(float)
    return 1 - float(np.percentile(grey, 1)) / float(np.percentile(grey, 80))


def test_what_is_to_be_read_is_there_and_nothing_is_before_and_after(plays: dict[str, list[Play]]) -> None:
    for kind, (play,) in plays.items():
        assert bool(play.spells) == (kind != "nothing")
        for spell in play.spells[:2]:
            assert ink_contrast(play, spell, spell.first) > 0.2
            assert ink_contrast(play, spell, spell.end - 1) > 0.2
        if kind != "still":
            assert play.moments[-1] == Moment(), "the next scene begins with an empty table"


def test_nothing_is_left_open(plays: dict[str, list[Play]]) -> None:
    """Whoever is to tell what is there has a second to read it, and is never asked about a gap of about a second."""
    for both in plays.values():
        for play in both:
            for spell in play.spells:
                assert spell.end - spell.first >= FRAMES_PER_S
                assert spell.there <= spell.first < spell.end <= len(play.moments)
                assert len(spell.boxes) == spell.end - spell.there
            for one in play.spells:
                for other in play.spells:
                    if one.text == other.text and one.boxes[-1] == other.boxes[0] and one.end <= other.first:
                        assert (other.first - one.end) / FRAMES_PER_S >= 1.6 * KEPT_S


def test_each_kind_does_what_its_name_says(plays: dict[str, list[Play]]) -> None:
    for play in plays["moved"]:
        assert all(spell.boxes[0] != spell.boxes[-1] for spell in play.spells)
    for play in plays["blurred"]:
        assert any(np.hypot(*moment.streak) > 15 for moment in play.moments)
        assert all(spell.there < spell.first for spell in play.spells)
    for play in plays["replaced"]:
        new = [spell for spell in play.spells if spell.replaces]
        assert new and all(any(old.replaced and old.end == spell.first for old in play.spells) for spell in new)
    for play in plays["two"]:
        assert len({spell.text for spell in play.spells}) == 2
    for play in plays["lights"]:
        assert {moment.lamp for moment in play.moments} == {0, 1}
        assert min(moment.level for moment in play.moments) < 0.2
    covered = [play for seed in range(4) for play in [write_play(np.random.default_rng((8, seed)), EASY, "covered")]]
    assert {len(play.spells) > len({spell.text for spell in play.spells}) for play in covered} == {True, False}
    assert any(moment.hand for play in covered for moment in play.moments)


def test_a_pushed_sheet_takes_its_numbers_along() -> None:
    stage = write_play(np.random.default_rng(3), FULL, "still").stage
    box, moved = stage.box(0, Pose()), stage.box(0, Pose(x=30, y=-12))
    assert abs(moved.left - box.left - 30) <= 1 and abs(moved.top - box.top + 12) <= 1


def test_a_hand_covers_what_it_lies_on() -> None:
    stage = write_play(np.random.default_rng(3), EASY, "still").stage
    away = Moment(written=(0,), hand=(10_000, 0))
    assert stage.covered(0, Moment(written=(0,))) == stage.covered(0, away) == 0
    y, x = np.argwhere(stage.hand.mask((0, 0))).mean(axis=0)
    over = stage.numbers[0].box.center
    upon = Moment(written=(0,), hand=(round(over[0] - x), round(over[1] - y)))
    assert stage.covered(0, upon) > 0.5
    assert not np.array_equal(stage.picture(upon), stage.picture(Moment(written=(0,))))


def test_every_round_shows_every_kind_and_the_same_seed_the_same() -> None:
    one, same, other = ScriptSource(seed=5), ScriptSource(seed=5), ScriptSource(seed=6)
    kinds = [one.kind(number) for number in range(2 * len(KINDS))]
    assert sorted(kinds[: len(KINDS)]) == sorted(kinds[len(KINDS) :]) == sorted(KINDS)
    assert kinds != [other.kind(number) for number in range(2 * len(KINDS))]
    assert np.array_equal(one.pixels(50), same.pixels(50))
    assert not np.array_equal(one.pixels(50), one.pixels(51))
    assert one.play_number(one.begins(2)) == 2 and one.play_number(one.begins(2) - 1) == 1


def test_it_is_a_camera_by_its_spec() -> None:
    with open_demo("demo:events:easy:fast:seed=4") as source:
        assert isinstance(source, ScriptSource) and not source.live and source.ranges == EASY
        frames = list(islice(source, 3))
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert frames[0].pixels.shape == (480, 640, 3) and frames[0].pixels.dtype == np.uint8
