"""A form with two fields, pages of a few pixels, and a reader of them that sleeps, dies and hangs on demand.

As a program it reads a batch with that reader: `python -m tests.forms.stand_in JOB OUTPUT WORKERS PAUSE_S SCANS...`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.errors import EdgeError, ModelError
from edge.forms.job.batch import JobSettings, read_job
from edge.forms.job.work import OpenReader
from edge.forms.template import Field, Template
from edge.forms.values import FieldReading, FormPage, Registration
from edge.live.stop import StopSignals
from edge.values import Box, Image, Page

SLIP = Template(
    name="slip",
    version=1,
    registration="none",
    size_mm=(32.0, 24.0),
    fields=(
        Field(name="account", kind="digit", box_mm=(2.0, 2.0, 12.0, 4.0), columns=4, required=True),
        Field(name="score", kind="number", box_mm=(2.0, 10.0, 12.0, 8.0)),
    ),
    sha256="slip/1",
)
# What a page does to who reads it, by the grey of its second pixel.
DIES, HANGS, RAISES, DIES_ONCE, IS_UNKNOWN, WANTS_A_MODEL = 1, 2, 3, 4, 5, 6


def picture(number: int, mood: int = 0) -> Image:
    """A page whose account is that number, 0 to 65535."""
    pixels = np.full((24, 32), 255, np.uint8)
    pixels[0, :3] = (number >> 8, number & 255, mood)
    return pixels


def write_page(path: Path, number: int, mood: int = 0) -> Path:
    """A PNG of picture(number, mood)."""
    assert cv2.imwrite(str(path), picture(number, mood))
    return path


def write_pages(folder: Path, count: int) -> list[Path]:
    """So many PNG, p00.png with the account 0007 and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    return [write_page(folder / f"p{index:02}.png", 7 + index) for index in range(count)]


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """Reads picture(); every fifth page is for review, every seventh score is empty. Called, it opens itself."""

    pause_s: float = 0.0
    folder: Path = Path()

    def __call__(self) -> StandIn:
        return self

    def read(self, page: Page, sha256: str) -> FormPage:
        high, low, mood = (int(value) for value in page.pixels[0, :3].reshape(3, -1)[:, 0])
        number = 256 * high + low
        time.sleep(self.pause_s)
        self._suffer(mood, number)
        if mood == IS_UNKNOWN:
            unknown = Registration(status="failed", method="none", reason="no page code")
            return FormPage(source=page.source, page_number=page.page_number, sha256=sha256, registration=unknown)
        return FormPage(
            source=page.source,
            page_number=page.page_number,
            sha256=sha256,
            template=SLIP.name,
            registration=Registration(status="ok", method="none", residual_mm=0.1),
            fields=(
                _reading("account", f"{number:04}", 2, review=number % 5 == 0),
                _reading("score", "" if number % 7 == 0 else str(number), 10),
            ),
        )

    def _suffer(self, mood: int, number: int) -> None:
        if mood == DIES:
            os.kill(os.getpid(), signal.SIGKILL)
        if mood == HANGS:
            time.sleep(1000)
        if mood == RAISES:
            raise IndexError(f"page {number}")
        if mood == WANTS_A_MODEL:
            raise ModelError("strip.tflite: no such model")
        if mood == DIES_ONCE and not (self.folder / f"died-{number}").exists():
            (self.folder / f"died-{number}").touch()
            os._exit(3)


def _reading(name: str, text: str, top: int, *, review: bool = False) -> FieldReading:
    return FieldReading(
        name=name,
        value=text,
        raw=text,
        confidence=0.7 if review else 0.99,
        status="review" if review else "read" if text else "empty",
        box=Box(left=2, top=top, right=14, bottom=top + 4),
        quad=((2.0, top), (14.0, top), (14.0, top + 4.0), (2.0, top + 4.0)),
        reason="not sure enough" if review else None,
    )


def read_batch(template: Template, opener: Callable[[float, Path], OpenReader]) -> None:
    """Read a batch as `edge forms read` does, with another reader: opener is given the pause and the job folder."""
    job, output, workers, pause_s, *scans = sys.argv[1:]
    settings = JobSettings(workers=int(workers), open_reader=opener(float(pause_s), Path(job)))
    try:
        with StopSignals() as stop:
            outcome = read_job(scans, (template,), Path(job), settings, output=Path(output), stopped=stop.stopped)
    except EdgeError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    sys.exit(130 if stop.interrupted() else outcome.exit_code)


if __name__ == "__main__":
    read_batch(SLIP, lambda pause_s, job: StandIn(pause_s=pause_s, folder=job))
