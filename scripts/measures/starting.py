"""Programs from start to end."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from measures.compared import PYTHON, ROOT, Compared, turns, wall_ms

# What `edge read` cannot do without: the arrays, the pictures, the command line, the runtime with the model open.
BARE_IMPORTS = """
import numpy, cv2, typer
from pathlib import Path
from ai_edge_litert.interpreter import Interpreter
Interpreter(model_content=Path({model!r}).read_bytes(), num_threads=1).allocate_tensors()
"""


def bench_start() -> list[Compared]:
    """Help, and reading one image."""
    import cv2

    from edge.inference.shipped import find_model
    from edge.sources.digits import load_digits
    from edge.system.bench import bench_frame

    edge = ROOT / ".venv" / "bin" / "edge"
    ours, others = turns(lambda: wall_ms([edge, "--help"]), lambda: wall_ms([PYTHON, "-c", "import typer"]), 15)
    rows = [Compared("`edge --help`", '`python -c "import typer"`', "ms", ours, others, 1.5)]
    with tempfile.TemporaryDirectory() as folder:
        cell, frame = Path(folder) / "cell.png", Path(folder) / "frame.png"
        cv2.imwrite(str(cell), 255 - load_digits()[0][0])
        cv2.imwrite(str(frame), bench_frame())
        bare = BARE_IMPORTS.format(model=str(find_model()))
        for what, asked in (("a 28×28 cell", ["--mode", "digit", cell]), ("a 640×480 page", [frame])):
            ours, others = turns(partial(wall_ms, [edge, "read", *asked]), lambda: wall_ms([PYTHON, "-c", bare]), 15)
            other = "import numpy, cv2, typer, LiteRT; open the model"
            rows.append(Compared(f"`edge read` of {what}", other, "ms", ours, others, 1.4))
    return rows
