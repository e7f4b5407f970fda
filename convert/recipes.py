"""The five ways to quantize, as named data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from edge.errors import UsageError

Weights = Literal["float32", "float16", "int8"]
Activations = Literal["float32", "int8", "int16"]

LITERT, TFLITE = "litert", "tflite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is stored and computed.

    boundary is the dtype of the model's input and output. known_good names the runtimes in which files of this recipe
    have been seen to load (ai-edge-litert 2.3 and tflite-runtime 2.14). slow marks recipes without fast kernels on a
    CPU: parity measures them on fewer digits.
    """

    name: str
    weights: Weights
    activations: Activations
    boundary: Literal["float32", "uint8"] = "float32"
    known_good: tuple[str, ...] = (LITERT, TFLITE)
    slow: bool = False
    summary: str

    @property
    def needs_digits(self) -> bool:
        """True if activations are quantized, for their ranges are learnt from real digits."""
        return self.activations != "float32"


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe(name="float32", weights="float32", activations="float32", summary="as trained"),
            Recipe(
                name="float16", weights="float16", activations="float32", summary="half the size, computed in float32"
            ),
            Recipe(
                name="dynamic",
                weights="int8",
                activations="float32",
                summary="int8 weights, ranges found while running",
            ),
            Recipe(
                name="int8",
                weights="int8",
                activations="int8",
                boundary="uint8",
                summary="all integer, uint8 in and out: what the Pi runs",
            ),
            Recipe(
                name="int16x8",
                weights="int8",
                activations="int16",
                slow=True,
                summary="int16 activations: exact, but no fast kernels exist",
            ),
        )
    }
)


def recipes_named(name: str) -> tuple[Recipe, ...]:
    """The recipe called name, or every recipe for `all`. Raises UsageError for any other name."""
    if name == "all":
        return tuple(RECIPES.values())
    if name not in RECIPES:
        raise UsageError(f"--recipe {name}: unknown; choose one of {', '.join(RECIPES)} or all")
    return (RECIPES[name],)
