"""The doctor finds what is wrong, says what to do, and ends with the first failure's exit code."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edge.errors import ModelError, SourceError
from edge.inference import shipped
from edge.system import doctor
from edge.system.check import Check
from edge.system.doctor import check_camera, check_cameras, check_numpy, check_platform, examine, exit_code

# Imports that break as a damaged installation's do; the doctor has to speak all the same.
BROKEN = """
import sys
broken = sys.argv[1]
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == broken:
            raise ImportError("libGL.so.1: cannot open shared object file")
sys.meta_path.insert(0, Broken())
sys.argv[1:] = ["doctor"]
from edge.cli.main import main
main()
"""


def edge(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | (env or {}))


def plug(root: Path, number: int, name: str) -> None:
    about = root / "sys/class/video4linux" / f"video{number}"
    about.mkdir(parents=True)
    (about / "name").write_text(name)
    (root / "dev").mkdir(exist_ok=True)
    (root / "dev" / f"video{number}").touch()


def find(checks: tuple[Check, ...], name: str) -> Check:
    return next(check for check in checks if check.name == name)


def test_a_good_machine_passes_and_having_no_camera_is_only_a_warning(tmp_path: Path) -> None:
    checks = examine(root=tmp_path)
    assert [check.name for check in checks if check.level == "fail"] == []
    assert exit_code(checks) == 0
    assert find(checks, "camera").level == "warn"


def test_the_exit_code_is_the_first_failures() -> None:
    good = Check(name="a", level="ok", found="")
    poor = Check(name="b", level="warn", found="", remedy="mend it")
    first = Check(name="c", level="fail", found="", remedy="mend it", exit_code=3)
    second = Check(name="d", level="fail", found="", remedy="mend it", exit_code=4)
    assert exit_code((good, poor)) == 0
    assert exit_code((good, poor, first, second)) == 3


@pytest.mark.parametrize(
    ("level", "remedy", "code"), [("fail", "mend it", 0), ("fail", "", 4), ("warn", "", 0), ("ok", "mend it", 0)]
)
def test_no_check_fails_without_remedy_and_exit_code(level: doctor.Level, remedy: str, code: int) -> None:
    with pytest.raises(ValueError, match="exit code"):
        Check(name="x", level=level, found="", remedy=remedy, exit_code=code)


def test_a_damaged_model_fails_with_the_code_for_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = next(model.file for model in shipped.shipped_models() if model.default)
    (tmp_path / source.name).write_bytes(source.read_bytes()[:-1] + b"?")
    (tmp_path / source.with_suffix(".json").name).write_bytes(source.with_suffix(".json").read_bytes())
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    check = find(examine(root=tmp_path), "model")
    assert (check.level, check.exit_code) == ("fail", ModelError.exit_code)
    assert "sha256" in check.found + check.remedy


def test_a_runtime_that_computes_nonsense_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.zeros((200, 28, 28), np.uint8)
    labels = np.arange(200, dtype=np.uint8) % 10
    monkeypatch.setattr("edge.system.trial.load_digits", lambda: (images, labels))
    check = doctor.check_model()
    assert check.level == "fail"
    assert "0 of 100 digits right" in check.found  # blank paper is no digit


def test_a_runtime_named_and_absent_fails_and_the_remedy_names_it() -> None:
    absent = "litert" if importlib.util.find_spec("tflite_runtime") else "tflite"
    run = edge("doctor", env={"INKEDGE_RUNTIME": absent})
    assert run.returncode == ModelError.exit_code
    line = next(line for line in run.stdout.splitlines() if "runtime" in line)
    assert line.startswith("fail") and "pip install" in line


@pytest.mark.parametrize("module", ["numpy", "cv2"])
def test_the_doctor_speaks_though_a_library_does_not_load(module: str) -> None:
    run = subprocess.run([sys.executable, "-c", BROKEN, module], capture_output=True, text=True, timeout=60)
    assert run.returncode == ModelError.exit_code, run.stderr
    name = {"numpy": "numpy", "cv2": "opencv"}[module]
    line = next(line for line in run.stdout.splitlines() if line.split()[1] == name)
    assert line.startswith("fail") and "libGL.so.1" in line and "; " in line
    assert "Traceback" not in run.stderr


def installed(monkeypatch: pytest.MonkeyPatch, numpy: str, *distributions: str) -> None:
    monkeypatch.setattr(np, "__version__", numpy)
    monkeypatch.setattr(doctor, "_installed", lambda name: "2.0" if name in distributions else "")
    monkeypatch.delenv("INKEDGE_RUNTIME", raising=False)


def test_tflite_runtime_with_numpy_2_fails_before_it_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "2.4.6", "tflite-runtime")
    assert check_numpy().level == "fail"
    assert "numpy<2" in check_numpy().remedy


def test_tflite_runtime_with_numpy_2_beside_litert_is_a_warning_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed(monkeypatch, "2.4.6", "tflite-runtime", "ai-edge-litert")
    assert check_numpy().level == "warn"
    monkeypatch.setenv("INKEDGE_RUNTIME", "tflite")
    assert check_numpy().level == "fail"


def test_tflite_runtime_with_numpy_1_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "1.26.4", "tflite-runtime")
    assert check_numpy().level == "ok"


@pytest.mark.parametrize(
    ("machine", "bits", "version", "level"),
    [
        ("x86_64", 64, (3, 14), "ok"),
        ("aarch64", 64, (3, 13), "ok"),
        ("armv7l", 32, (3, 11), "ok"),
        ("armv7l", 32, (3, 13), "fail"),
        ("aarch64", 32, (3, 11), "warn"),
    ],
)
def test_the_platform_says_whether_it_has_a_runtime(
    machine: str, bits: int, version: tuple[int, int], level: str
) -> None:
    assert check_platform("", machine=machine, bits=bits, version=version).level == level


def test_an_old_python_fails() -> None:
    assert doctor.check_python((3, 10, 4)).level == "fail"


@pytest.mark.parametrize(
    ("cameras", "streams", "level"), [((1, 2), (2,), "ok"), ((), (2,), "warn"), ((1,), (), "warn")]
)
def test_opencv_without_a_way_to_cameras_or_streams_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, cameras: tuple[int, ...], streams: tuple[int, ...], level: str
) -> None:
    registry = SimpleNamespace(
        getBackendName={1: "V4L2", 2: "FFMPEG"}.__getitem__,
        getCameraBackends=lambda: cameras,
        getStreamBackends=lambda: streams,
    )
    monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(__version__="4.11.0", videoio_registry=registry))
    assert doctor.check_opencv().level == level


def test_a_usb_camera_is_listed_by_name(tmp_path: Path) -> None:
    plug(tmp_path, 0, "HD Webcam C270")
    assert check_cameras(tmp_path) == Check(name="camera", level="ok", found="/dev/video0 HD Webcam C270")


def test_a_camera_that_may_not_be_opened_is_a_warning_with_the_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug(tmp_path, 0, "HD Webcam C270")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "video" in check_cameras(tmp_path).remedy
    assert check_cameras(tmp_path).level == "warn"


def test_a_ribbon_camera_is_named_as_the_trap_it_is(tmp_path: Path) -> None:
    plug(tmp_path, 0, "unicam-image")
    assert check_cameras(tmp_path).level == "warn"
    asked = check_camera("0", tmp_path)
    assert (asked.level, asked.exit_code) == ("fail", 3)
    assert "rpicam-vid" in asked.remedy
    assert check_camera("/dev/video0", tmp_path) == Check(
        name="camera", level="fail", found=asked.found.replace("0:", "/dev/video0:"), remedy=asked.remedy, exit_code=3
    )


def test_a_codec_asked_about_as_a_camera_fails(tmp_path: Path) -> None:
    plug(tmp_path, 11, "bcm2835-codec-encode")
    assert check_camera("usb:11", tmp_path).exit_code == 3


def test_a_camera_asked_about_must_give_a_frame() -> None:
    good = edge("doctor", "--camera", "demo:fast")
    assert good.returncode == 0, good.stdout + good.stderr
    assert "640×480" in good.stdout
    absent = edge("doctor", "--camera", "/dev/video77")
    assert absent.returncode == 3, absent.stdout + absent.stderr
    assert any(line.startswith("fail") and "/dev/video77" in line for line in absent.stdout.splitlines())


def test_a_camera_that_opens_and_stays_silent_fails_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(doctor, "_FIRST_FRAME_S", 0.5)
        with pytest.raises(SourceError, match="no frame in"):
            check_camera(f"http://127.0.0.1:{silent.getsockname()[1]}/", Path("/"))


def test_a_folder_that_may_not_be_written_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert doctor.check_folder(tmp_path).level == "warn"


def test_a_full_disk_fails_with_the_code_for_sinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1000))
    assert doctor.check_folder(tmp_path).exit_code == 6


def test_json_is_a_list_of_checks_and_stdout_holds_nothing_else() -> None:
    run = edge("doctor", "--json")
    checks = json.loads(run.stdout)
    assert [check["name"] for check in checks][:3] == ["python", "platform", "numpy"]
    assert {"name", "level", "found", "remedy", "exit_code"} == set(checks[0])


def test_results_that_cannot_be_written_end_with_the_code_for_sinks() -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "edge", "doctor"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert run.returncode == 6, run.stderr
    assert "Traceback" not in run.stderr
