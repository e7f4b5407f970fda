"""How much memory a process has held."""

from __future__ import annotations

from pathlib import Path


def peak_kb() -> int:
    """The most memory this process has held at a time, in kB.

    Not getrusage's ru_maxrss: a child inherits that of the process which started it.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0])
