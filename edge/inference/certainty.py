"""How far a confidence can be trusted: reliability by bins, and the error that is left when the unsure are refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.errors import ShapeError
from edge.values import NOT_A_DIGIT

BINS = 10
# The errors among what is read at which a table tells how much is read.
ERRORS = (0.001, 0.005, 0.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Of the items whose confidence lies in one tenth: how many, their mean confidence, and how many are right."""

    n: int
    confidence: float
    right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAt:
    """The largest share that can be read with at most this error among it, and the confidence from which it is read."""

    error: float
    share: float
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Certainty:
    """Items with a confidence (n,) in 0 to 1 and whether each is right (n,), at least one; name says whose they are.

    refused (n,) are those that are never read, however sure: what the network takes for no digit. None is none of them.
    """

    name: str
    confidence: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]
    refused: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.confidence.ndim != 1 or self.confidence.shape != self.right.shape or not len(self.right):
            raise ShapeError(f"{self.name}: a confidence for each item, not {self.confidence.shape} {self.right.shape}")

    @staticmethod
    def of(
        name: str, probabilities: npt.NDArray[np.float32], y: npt.NDArray[np.int64], labels: tuple[str, ...]
    ) -> Certainty:
        """That of the best of L labels by probabilities (n, L), for label indices y (n,)."""
        best = probabilities.argmax(axis=1)
        chosen = probabilities[np.arange(len(y)), best].astype(np.float64)
        refused = np.array([label == NOT_A_DIGIT for label in labels])[best]
        return Certainty(name=name, confidence=np.clip(chosen, 0.0, 1.0), right=best == y, refused=refused)

    def bins(self) -> tuple[Bin, ...]:
        """Ten bins of equal width, from 0 up; 1.0 belongs to the last."""
        at = np.minimum((self.confidence * BINS).astype(np.int64), BINS - 1)
        n = np.bincount(at, minlength=BINS)
        total = np.bincount(at, weights=self.confidence, minlength=BINS)
        right = np.bincount(at[self.right], minlength=BINS)
        means = total / np.maximum(n, 1)
        return tuple(
            Bin(n=int(count), confidence=float(mean), right=int(hits))
            for count, mean, hits in zip(n, means, right, strict=True)
        )

    @property
    def ece(self) -> float:
        """Expected calibration error: the gap between confidence and accuracy, mean over the bins by their count.

        After Naeini, Cooper, Hauskrecht, AAAI 2015, as Guo et al., ICML 2017, use it.
        """
        return sum(abs(part.n * part.confidence - part.right) for part in self.bins()) / len(self.right)

    def curve(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """For each confidence that occurs, falling: the share refused below it, the error among the rest, itself."""
        read = slice(None) if self.refused is None else ~self.refused
        confidence, right = self.confidence[read], self.right[read]
        order = np.argsort(-confidence, kind="stable")
        ranked, wrong = confidence[order], ~right[order]
        # Items of equal confidence are in or out together.
        last = np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)]
        kept = np.arange(1, len(ranked) + 1)
        return 1 - kept[last] / len(self.right), (np.cumsum(wrong) / kept)[last], ranked[last]

    def read_at(self, error: float) -> ReadAt:
        """How much can be read at this error; share 0 and confidence 1 if even the surest are worse."""
        refused, errors, confidence = self.curve()
        good = np.flatnonzero(errors <= error)
        if not len(good):
            return ReadAt(error=error, share=0.0, confidence=1.0)
        most = good[-1]
        return ReadAt(error=error, share=1 - float(refused[most]), confidence=float(confidence[most]))

    def as_text(self) -> str:
        """The figures for people, three lines."""
        reads = [self.read_at(error) for error in ERRORS]
        parts = [f"{one.share:.1%} at {one.error:.1%} (confidence from {one.confidence:.3f})" for one in reads]
        return f"{self.name}, n = {len(self.right):,}\n  ECE {self.ece:.2%}\n  read at an error of: " + "; ".join(parts)

    def as_json(self) -> dict[str, object]:
        """The figures as evaluation.json carries them."""
        reads = [self.read_at(error) for error in ERRORS]
        return {
            "name": self.name,
            "n": len(self.right),
            "ece": self.ece,
            "read_at": [{"error": one.error, "share": one.share, "confidence": one.confidence} for one in reads],
            "bins": [{"n": one.n, "confidence": one.confidence, "right": one.right} for one in self.bins()],
        }


def heated(probabilities: npt.NDArray[np.float32], temperature: float) -> npt.NDArray[np.float32]:
    """Softmax rows (n, L) as they are when their logits are divided by temperature first."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-30)) / temperature
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    total: npt.NDArray[np.float32] = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return total
