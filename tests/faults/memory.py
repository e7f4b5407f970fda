"""How much memory a process has held."""

from __future__ import annotations

import resource
from pathlib import Path


def peak_kb() -> int:
    """The most memory this process has held at a time, in kB.

    Not getrusage's ru_maxrss: a child inherits that of the process which started it.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0])


def resident_mb() -> float:
    """What this process holds in memory now, in MB."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 1e6
