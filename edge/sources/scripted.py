"""The demo camera on a script: scenes in which things happen, with the truth about every number in them."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

import numpy as np

from edge.sources.demo import DrawnSource, Noise, draw_noise, with_noise
from edge.sources.desk import EASY, FULL
from edge.sources.script import KINDS, Play, Spell, write_play
from edge.sources.stage import Moment
from edge.values import Image


class ScriptSource(DrawnSource):
    """Frames of scripted scenes (`demo:events`), every kind once in each round, in another order each time.

    Pixels and truth are a function of seed and frame index alone.
    """

    def __init__(self, *, fast: bool = True, easy: bool = False, seed: int = 1, name: str = "demo:events") -> None:
        super().__init__(fast=fast, seed=seed, name=name)
        self.ranges = EASY if easy else FULL
        self._starts = [0]
        self._play = lru_cache(maxsize=4)(self._draw)
        self._picture = lru_cache(maxsize=2)(self._compose)
        self._spells: list[tuple[Spell, ...]] = []

    def play_number(self, frame_index: int) -> int:
        """Which play, from 0, the frame belongs to."""
        while self._starts[-1] <= frame_index:
            play, _ = self._play(len(self._spells))
            self._starts.append(self._starts[-1] + len(play.moments))
            self._spells.append(play.spells)
        return bisect_right(self._starts, frame_index) - 1

    def kind(self, number: int) -> str:
        """What happens in play `number`, from 0."""
        kinds = np.random.default_rng((self.seed, number // len(KINDS), 3)).permutation(sorted(KINDS))
        return str(kinds[number % len(KINDS)])

    def begins(self, number: int) -> int:
        """The first frame of play `number`, from 0."""
        while len(self._starts) <= number:
            self.play_number(self._starts[-1])
        return self._starts[number]

    def spells(self, number: int) -> tuple[Spell, ...]:
        """What is there to be read in play `number`, from 0; frames count from the play's first."""
        self.begins(number + 1)
        return self._spells[number]

    def pixels(self, frame_index: int) -> Image:
        """Pixels (480, 640, 3) BGR uint8 of a frame: its moment, and noise that no other frame has."""
        number = self.play_number(frame_index)
        play, noise = self._play(number)
        moment = play.moments[frame_index - self._starts[number]]
        rng = np.random.default_rng((self.seed, frame_index, 2))
        return with_noise(self._picture(number, moment), noise, rng)

    def _compose(self, number: int, moment: Moment) -> Image:
        return self._play(number)[0].stage.picture(moment)

    def _draw(self, number: int) -> tuple[Play, Noise]:
        rng = np.random.default_rng((self.seed, number, 4))
        play = write_play(rng, self.ranges, self.kind(number))
        return play, draw_noise(rng, play.stage.noise)
