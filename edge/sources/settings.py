"""How a camera is to be opened; what a backend cannot do it says once and goes on without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Rotation: TypeAlias = Literal[0, 90, 180, 270]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSettings:
    """None is what the camera does by itself.

    size: (width, height) px before rotation. exposure_ms, focus: fixed; focus: 0 far to 1 near. rotation: degrees
    clockwise. timeout_s: silence for so long is a fault.
    """

    size: tuple[int, int] | None = None
    fps: float | None = None
    exposure_ms: float | None = None
    focus: float | None = None
    rotation: Rotation = 0
    mirror: bool = False
    timeout_s: float = 5.0
