"""Writes events to sinks until it is killed: STATE, SPECs with blanks between, first number; prints what is kept."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from edge.sinks.open import open_mqtt, open_sink
from tests.sinks.events import event

state, specs, first = Path(sys.argv[1]), sys.argv[2].split(), int(sys.argv[3])
sinks = [open_mqtt(spec, state=state) if spec.startswith("mqtt") else open_sink(spec, state=state) for spec in specs]
for number in range(first, first + 10_000):
    for sink in sinks:
        sink.write(event(number))
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()
    time.sleep(0.001)
