"""How a camera is to be opened; what a backend cannot do it says once and goes on without."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from edge.errors import UsageError

Rotation: TypeAlias = Literal[0, 90, 180, 270]
# Larger than any sensor there is; a camera asked for more would try to reserve the memory.
_MOST_PX = 20_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSettings:
    """None is what the camera does by itself. Raises UsageError for what no camera could do.

    size: (width, height) px before rotation. exposure_ms, focus: fixed; focus: 0 far to 1 near. rotation: degrees
    clockwise. mirror: left and right changed, after the rotation. timeout_s: silence for so long is a fault.
    """

    size: tuple[int, int] | None = None
    fps: float | None = None
    exposure_ms: float | None = None
    focus: float | None = None
    rotation: Rotation = 0
    mirror: bool = False
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        if self.size is not None and not all(16 <= side <= _MOST_PX for side in self.size):
            raise _refusal("size", f"{self.size[0]}x{self.size[1]}", f"16x16 to {_MOST_PX}x{_MOST_PX} pixels")
        if self.fps is not None and not 0.1 <= self.fps <= 1000:
            raise _refusal("fps", self.fps, "0.1 to 1000 frames a second")
        if self.exposure_ms is not None and not 0.01 <= self.exposure_ms <= 10_000:
            raise _refusal("exposure", self.exposure_ms, "0.01 to 10000 milliseconds")
        if self.focus is not None and not 0 <= self.focus <= 1:
            raise _refusal("focus", self.focus, "0, far away, to 1, as near as it goes")
        if self.rotation not in get_args(Rotation):
            raise _refusal("rotation", self.rotation, "0, 90, 180 or 270 degrees clockwise")
        if not 0.5 <= self.timeout_s <= 3600:
            raise _refusal("timeout", self.timeout_s, "0.5 to 3600 seconds")

    def wanted(self) -> tuple[str, ...]:
        """Names of what only a camera's own driver can do and is asked for."""
        asked = {"size": self.size, "fps": self.fps, "exposure": self.exposure_ms, "focus": self.focus}
        return tuple(name for name, value in asked.items() if value is not None)


def _refusal(name: str, value: object, allowed: str) -> UsageError:
    return UsageError(f"camera {name} {value}: give {allowed}")


def say_unset(camera: str, names: tuple[str, ...], reason: str) -> None:
    """Say in one line that these settings are left as they are; nothing if there are none."""
    if names:
        _log.warning("camera %s: %s: not set, for %s", camera, ", ".join(names), reason)
