"""A short soak: everything fails at random while 3,000 frames are read, and no event is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_three_thousand_frames_of_trouble() -> None:
    command = [sys.executable, "-m", "tests.faults.soaking", "--frames", "3000", "--seed", "3", "--truth"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["good"] and done.returncode == 0, done.stdout
    assert report["frames"] == 3000 and report["events"] > 100
    # Too short for the 5 % of the long soak; a picture kept for each event would show.
    assert report["memory_end_mb"] < 1.25 * report["memory_mb"], done.stdout
    assert len(report["faults"]) >= 8 and len(report["troubles"]) >= 5, done.stdout
