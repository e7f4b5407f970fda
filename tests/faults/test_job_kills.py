"""A run that is killed, or whose disk fills up, goes on where it stopped, and ends with the same bytes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.forms.job.export import export_job
from edge.forms.job.job_status import job_status
from edge.forms.job.ledger import Ledger
from tests.forms.paced import write_sheets
from tests.forms.stand_in import picture, write_page, write_pages

KILLS = 10
# A page takes so long that a kill falls among them, and costs no work.
PAUSE_S = 0.05
PAGES = 60
# Of those that the reader itself reads: one is a copy, one is garbage.
SHEETS = 24


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Single pages, a long TIFF, copies here and there, a file that is no picture."""
    folder = tmp_path_factory.mktemp("pile")
    write_pages(folder, PAGES - 22)
    long = [picture(1000 + number // 2) for number in range(20)]  # every page twice
    assert cv2.imwritemulti(str(folder / "m.tif"), long)
    write_page(folder / "q.png", 9)
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def start(
    job: Path, output: Path, pile: Path, *, workers: int = 2, session: bool = False, reader: str = "stand_in"
) -> subprocess.Popen[bytes]:
    """A run, its stderr in OUTPUT.log."""
    command = [sys.executable, "-m", f"tests.forms.{reader}", job, output, workers, PAUSE_S, pile]
    with Path(f"{output}.log").open("wb") as said:
        return subprocess.Popen(list(map(str, command)), stderr=said, start_new_session=session)


def lines(output: Path) -> list[dict[str, object]]:
    return [json.loads(line) | {"ms": 0} for line in output.read_text().splitlines()]


def read_pages_of(job: Path) -> int:
    """How many pages a job has come to, 0 before it has a ledger."""
    with contextlib.suppress(Exception):
        return job_status(job).pages
    return 0


@pytest.fixture(scope="module")
def undisturbed(pile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing happened to: its output, and its exports."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run = start(folder / "job", folder / "run.jsonl", pile)
    assert run.wait(300) == 3 and not (folder / "run.jsonl.part").exists()
    for suffix in ("csv", "jsonl"):
        export_job(folder / "job", folder / f"export.{suffix}")
    return folder


def check_same(folder: Path, undisturbed: Path) -> None:
    for suffix in ("csv", "jsonl"):
        export_job(folder / "job", folder / f"export.{suffix}")
    assert (folder / "export.csv").read_bytes() == (undisturbed / "export.csv").read_bytes()
    for name in ("run.jsonl", "export.jsonl"):
        assert lines(folder / name) == lines(undisturbed / name)


def kill_ten_times(job: Path, output: Path, pile: Path, pages: int, *, reader: str, workers: int) -> None:
    """Ten runs, each killed when it has come to a random page and a little later; what each did stays done."""
    rng = np.random.default_rng(4)
    # Moments in pages done, and a little later: a slow machine is killed at the same places as a quick one.
    moments = sorted(int(n) for n in rng.integers(0, pages - 4, KILLS))
    done = []
    for moment in moments:
        run = start(job, output, pile, workers=int(rng.integers(1, workers + 1)), reader=reader)
        while read_pages_of(job) < moment and run.poll() is None:
            time.sleep(0.01)
        time.sleep(float(rng.uniform(0, 2 * PAUSE_S)))
        run.send_signal(signal.SIGKILL)
        assert run.wait(60) == -signal.SIGKILL
        done.append(read_pages_of(job))
        assert not output.exists()
    assert done == sorted(done) and done[-1] >= moments[-1] > 0


def places_of(job: Path) -> list[str]:
    with Ledger(job) as ledger:
        return [page.place for page in ledger.all_pages()]


def test_a_run_killed_at_ten_random_moments_ends_with_the_same_bytes(
    pile: Path, undisturbed: Path, tmp_path: Path
) -> None:
    kill_ten_times(tmp_path / "job", tmp_path / "run.jsonl", pile, PAGES, reader="stand_in", workers=3)
    assert start(tmp_path / "job", tmp_path / "run.jsonl", pile).wait(300) == 3
    check_same(tmp_path, undisturbed)
    places = places_of(tmp_path / "job")
    assert len(places) == len(set(places)) == PAGES


def test_ten_kills_of_the_reader_itself_change_no_byte(tmp_path: Path) -> None:
    pile, calm, killed = (tmp_path / name for name in ("pile", "calm", "killed"))
    for folder in (pile, calm, killed):
        folder.mkdir()
    write_sheets(pile, SHEETS)
    assert start(calm / "job", calm / "run.jsonl", pile, reader="paced").wait(300) == 3
    kill_ten_times(killed / "job", killed / "run.jsonl", pile, SHEETS, reader="paced", workers=1)
    assert start(killed / "job", killed / "run.jsonl", pile, reader="paced").wait(300) == 3
    for suffix in ("csv", "jsonl"):
        export_job(calm / "job", calm / f"export.{suffix}")
    read = [page for page in lines(calm / "run.jsonl") if page["fields"]]
    assert len(read) == SHEETS - 2 and all(page["registration"]["status"] == "ok" for page in read)  # type: ignore[index]
    check_same(killed, calm)
    places = places_of(killed / "job")
    assert len(places) == len(set(places)) == SHEETS


def test_the_workers_of_a_killed_run_die_with_it_and_its_lock_too(pile: Path, tmp_path: Path) -> None:
    run = start(tmp_path / "job", tmp_path / "run.jsonl", pile)
    while read_pages_of(tmp_path / "job") < 3:
        time.sleep(0.01)
    children = [int(child) for child in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()]
    run.kill()
    run.wait()
    assert len(children) >= 2
    end = time.monotonic() + 30
    while alive := [child for child in children if is_alive(child)]:
        assert time.monotonic() < end, alive
        time.sleep(0.02)
    Ledger(tmp_path / "job", write=True).close()


def is_alive(process: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_workers_killed_from_outside_cost_nothing(pile: Path, undisturbed: Path, tmp_path: Path) -> None:
    run = start(tmp_path / "job", tmp_path / "run.jsonl", pile)
    for pages in (4, 20, 40):
        while read_pages_of(tmp_path / "job") < pages and run.poll() is None:
            time.sleep(0.01)
        for child in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
                break
    assert run.wait(300) == 3
    check_same(tmp_path, undisturbed)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_run_that_is_asked_to_stop_ends_cleanly_and_goes_on(
    pile: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    # In a session of its own, and to all of it, as a terminal or a service manager does.
    run = start(tmp_path / "job", tmp_path / "run.jsonl", pile, session=True)
    while read_pages_of(tmp_path / "job") < 5:
        time.sleep(0.01)
    os.killpg(run.pid, number)
    assert run.wait(60) == code
    said = (tmp_path / "run.jsonl.log").read_text()
    assert "the same command goes on from here" in said and "Traceback" not in said
    assert not (tmp_path / "run.jsonl").exists()
    assert 5 <= job_status(tmp_path / "job").pages < PAGES


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 8 MB; needs the right to mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_ends_the_run_and_the_next_one_goes_on(
    pile: Path, undisturbed: Path, tmp_path: Path, small_disk: Path
) -> None:
    job = small_disk / "job"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(8_000_000))
    assert start(job, tmp_path / "run.jsonl", pile).wait(300) == 6
    said = (tmp_path / "run.jsonl.log").read_text()
    assert "make room" in said and "Traceback" not in said and not (tmp_path / "run.jsonl").exists()
    ballast.unlink()
    assert start(job, tmp_path / "run.jsonl", pile).wait(300) == 3
    export_job(job, tmp_path / "export.csv")
    assert (tmp_path / "export.csv").read_bytes() == (undisturbed / "export.csv").read_bytes()
    assert lines(tmp_path / "run.jsonl") == lines(undisturbed / "run.jsonl")
