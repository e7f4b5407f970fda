"""A page of a form from its file to its values, beside what must be done at the least: in a process like a worker."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from edge.errors import SourceError
from edge.forms.job.work import FULL_PX
from edge.forms.job.workers import WORKER_ENVIRONMENT
from edge.forms.reader import FormReader
from edge.forms.template import load_template
from edge.inference.runtime import open_interpreter
from edge.inference.shipped import find_model
from edge.sources.files import BadPage, read_pages
from measures.batches import drawn_pile
from measures.compared import Compared, printed, quickest_ms
from measures.sheets import ROWS_TEMPLATE, TEMPLATE

_CELLS = 40
_ROUNDS = 40
_SCRIPT = "import sys; sys.path[:0] = ['scripts', '.']; from measures.form_page import tell; tell({file!r}, {form!r})"


def bench_form_page() -> list[Compared]:
    """A 1654×2339 JPEG page with 40 cells, in one grid and in four rows, beside decoding, marks and interpreter calls.

    The time is what a page's `ms` counts, from decoding to its values.
    """
    compared = []
    for what, template in (("a grid of 5×8", TEMPLATE), ("four rows of ten", ROWS_TEMPLATE)):
        with drawn_pile(1, template) as folder:
            script = _SCRIPT.format(file=str(folder / "scans" / "00000.jpg"), form=str(folder / "form.toml"))
            told = printed(script, WORKER_ENVIRONMENT)
        ours, others = told[0::2][1:], told[1::2][1:]
        compared.append(
            Compared(
                f"a page of 1654×2339 with 40 cells in {what}, file to values",
                "grey `imdecode` + `detectMarkers` at half size + 40 bare calls",
                "ms",
                ours,
                others,
                target=1.6,
                quiet=True,
            )
        )
    return compared


def tell(file: str, form: str) -> None:
    """Print the ms of a page and of what is least, by turns."""
    cv2.setNumThreads(1)
    reader, content = FormReader.open([load_template(Path(form))]), np.fromfile(file, np.uint8)
    interpreter = open_interpreter(find_model().read_bytes())
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    tensor = np.zeros(source["shape"], source["dtype"])
    marks = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))

    def least() -> None:
        grey = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)
        marks.detectMarkers(cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        for _ in range(_CELLS):
            interpreter.set_tensor(source["index"], tensor)
            interpreter.invoke()
            interpreter.get_tensor(sink["index"])

    def ours() -> None:
        page = next(read_pages(Path(file), lean_px=FULL_PX))
        if isinstance(page, BadPage):
            raise SourceError(page.message)
        read = reader.read(page, "")
        if read.registration is None or read.registration.status != "ok":
            sys.exit(f"bench: {file}: the page was not registered")

    for _ in range(_ROUNDS + 1):
        print(quickest_ms(ours, 2), quickest_ms(least, 2), flush=True)
