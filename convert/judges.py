"""What a model's answer to one picture says: the label of a digit, or the text of a strip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edge.inference.ctc import Frames, rank

Chances = npt.NDArray[np.float32]
_BEST = 3


class Judge(Protocol):
    """Turns the probabilities of n pictures into n decisions."""

    def decide(self, chances: Chances) -> npt.NDArray[Any]:
        """The decision on each picture, (n,), comparable with what is expected."""

    def word(self, decision: Any) -> str:
        """A decision, or what is expected, as people write it."""

    def ranked(self, chances: Chances) -> tuple[tuple[Any, float], ...]:
        """The most probable decisions on one picture with their probabilities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelJudge:
    """Decides for the most probable label; chances are (n, labels), decisions indices of labels."""

    labels: tuple[str, ...]

    def decide(self, chances: Chances) -> npt.NDArray[Any]:
        """See Judge."""
        best: npt.NDArray[np.int64] = chances.argmax(axis=1)
        return best

    def word(self, decision: Any) -> str:
        """See Judge."""
        return self.labels[int(decision)]

    def ranked(self, chances: Chances) -> tuple[tuple[Any, float], ...]:
        """See Judge."""
        return tuple((int(k), float(chances[k])) for k in np.argsort(-chances, kind="stable")[:_BEST])


class TextJudge:
    """Decides for the most probable text, as the edge does; chances are (n, T, 11) frames, nan where a strip ended."""

    def decide(self, chances: Chances) -> npt.NDArray[Any]:
        """See Judge."""
        return np.array([rank([_frames(own)]).texts[0] for own in chances], dtype=np.str_)

    def word(self, decision: Any) -> str:
        """See Judge."""
        return str(decision) or "nothing"

    def ranked(self, chances: Chances) -> tuple[tuple[Any, float], ...]:
        """See Judge."""
        found = rank([_frames(chances)])
        return tuple(
            (text, float(np.exp(score))) for text, score in zip(found.texts[:_BEST], found.scores, strict=False)
        )


def _frames(chances: Chances) -> Frames:
    """The frames of one strip without its padding."""
    return chances[~np.isnan(chances[:, 0])].astype(np.float64)
