"""What is wrong with this machine: each check a value with its remedy, so that a person and a program can read it.

Nothing heavy is imported at the top: the doctor must work where numpy or OpenCV does not.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING

from edge.errors import EdgeError, ModelError, SinkError, SourceError
from edge.sources.devices import CSI_REMEDY, VideoDevice, find_video_devices
from edge.system.board import check_clock, check_disk, check_heat, check_power
from edge.system.cameras import board_name
from edge.system.check import Check, doubtful, failed, good

if TYPE_CHECKING:
    from edge.values import Frame

OLDEST_PYTHON = (3, 11)
# The last Python that tflite-runtime has wheels for, and the only runtime for 32-bit Arm.
LAST_PYTHON_OF_TFLITE = (3, 11)
OLDEST_OPENCV = (4, 10)
# Readings are small; with less than this something else has filled the disk.
_LEAST_FREE_BYTES = 50 * 1024 * 1024
# Opening, and a frame: a camera that has not given one by then will not.
_FIRST_FRAME_S = 4.5


def exit_code(checks: tuple[Check, ...]) -> int:
    """The exit code of the first failed check, 0 if none failed."""
    return next((check.exit_code for check in checks if check.level == "fail"), 0)


def examine(*, camera: str | None = None, root: Path = Path("/"), settings: Path | None = None) -> tuple[Check, ...]:
    """Every check, in the order in which one breaks the next; a camera is opened only if its SPEC is given.

    root is where /dev, /sys and /proc are looked for; settings: the file of a run, the service's own if
    None and it is there; its broker and port are tried too. Never raises for what is wrong with the machine: that is a
    Check.
    """
    looks: tuple[tuple[str, Callable[[], Check | None]], ...] = (
        ("python", check_python),
        ("platform", lambda: check_platform(board_name(root))),
        ("numpy", check_numpy),
        ("runtime", check_runtime),
        ("opencv", check_opencv),
        ("model", check_model),
        ("model in use", check_use),
        ("camera", lambda: check_cameras(root) if camera is None else check_camera(camera, root)),
        ("folder", lambda: check_folder(Path.cwd())),
        ("disk", lambda: check_disk(root)),
        ("clock", lambda: check_clock(root)),
        ("heat", lambda: check_heat(root)),
        ("power", lambda: check_power(root)),
    )
    checks = [check for name, look in looks if (check := _look(name, look)) is not None]
    return (*checks, *_examine_settings(settings))


def _examine_settings(file: Path | None) -> tuple[Check, ...]:
    """The checks of what the settings name; without numpy there are none, and its own check has said so."""
    try:
        from edge.settings.values import SYSTEM_FILE
        from edge.system.outside import examine_settings
    except ImportError:
        return ()
    if file is None and not SYSTEM_FILE.exists():
        return ()
    return examine_settings(file or SYSTEM_FILE)


def _look(name: str, look: Callable[[], Check | None]) -> Check | None:
    """The Check of look, None if the machine does not tell; an error on the way is a failed check.

    Its message already ends with the remedy.
    """
    try:
        return look()
    except EdgeError as error:
        found, _, remedy = str(error).partition("; ")
        return failed(name, found, remedy or "see docs/errors.md", error.exit_code)
    except (ImportError, OSError) as error:
        # A package that is there and does not load, numpy built for another Python for one.
        reason = re.sub(r"\s+", " ", str(error)).strip()[:200]
        return failed(
            name,
            f"{type(error).__name__}: {reason}",
            "install inkedge again into a new virtual environment",
            ModelError.exit_code,
        )


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """Whether this Python is one that inkedge runs on."""
    found = f"{'.'.join(map(str, version))} at {sys.executable}"
    if version[:2] < OLDEST_PYTHON:
        return failed("python", found, "inkedge needs Python 3.11 or newer", ModelError.exit_code)
    return good("python", found)


def check_platform(
    board: str,
    machine: str = platform.machine(),
    bits: int = 8 * struct.calcsize("P"),
    version: tuple[int, ...] = sys.version_info[:2],
) -> Check:
    """Whether there is a TFLite runtime for this processor and Python."""
    found = " ".join(filter(None, [platform.system(), machine, f"{bits} bit", board and f"({board})"]))
    arm = machine.startswith(("arm", "aarch64"))
    if bits == 32 and arm and version > LAST_PYTHON_OF_TFLITE:
        return failed(
            "platform",
            found,
            "there is no runtime for 32-bit Arm and this Python; use a 64-bit system, or Python 3.11 (Bookworm)",
            ModelError.exit_code,
        )
    if bits == 32 and machine == "aarch64":
        # pip goes by the kernel and would look for LiteRT, which has no 32-bit wheels.
        remedy = (
            "a 32-bit system on a 64-bit kernel: name its runtime, pip install tflite-runtime 'numpy<2'; "
            "or use a 64-bit system"
        )
        return doubtful("platform", found, remedy)
    return good("platform", found)


def _installed(distribution: str) -> str:
    """The version of an installed distribution, empty if it is absent."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def check_numpy() -> Check:
    """Whether numpy loads and is one that the installed runtimes were built for."""
    import numpy as np

    tflite, litert = _installed("tflite-runtime"), _installed("ai-edge-litert")
    if not tflite or int(np.__version__.split(".")[0]) < 2:
        return good("numpy", np.__version__)
    found = f"{np.__version__} beside tflite-runtime {tflite}, which was built for numpy 1 and does not say so"
    if litert and os.environ.get("INKEDGE_RUNTIME") != "tflite":
        remedy = "harmless while ai-edge-litert is used; pip uninstall tflite-runtime"
        return doubtful("numpy", found, remedy)
    return failed("numpy", found, "pip install 'numpy<2' 'opencv-python-headless<4.12'", ModelError.exit_code)


def check_runtime() -> Check:
    """Which TFLite runtime is used. Raises RuntimeMissingError if there is none."""
    from edge.inference.runtime import VARIABLE, find_runtime

    runtime = find_runtime()
    why = f"named by {VARIABLE}" if os.environ.get(VARIABLE) else "the first one installed"
    return good("runtime", f"{runtime.name} {runtime.version}, {why}")


def check_opencv() -> Check:
    """OpenCV's version and its ways to cameras, streams and video files; windows are not needed."""
    try:
        import cv2
    except ImportError as error:
        remedy = "pip uninstall opencv-python; pip install opencv-python-headless"
        return failed("opencv", f"does not load: {error}", remedy, ModelError.exit_code)
    registry = cv2.videoio_registry
    cameras = {registry.getBackendName(backend) for backend in registry.getCameraBackends()}
    streams = {registry.getBackendName(backend) for backend in registry.getStreamBackends()}
    found = f"{cv2.__version__}, video by {', '.join(sorted(cameras | streams)) or 'nothing'}"
    version = tuple(int(part) for part in re.findall(r"\d+", cv2.__version__)[:2])
    if version < OLDEST_OPENCV:
        return failed("opencv", found, "pip install --upgrade opencv-python-headless", ModelError.exit_code)
    missing = []
    if sys.platform == "linux" and "V4L2" not in cameras:
        missing.append("USB cameras (V4L2)")
    if "FFMPEG" not in streams:
        missing.append("streams and video files (FFMPEG)")
    if missing:
        remedy = f"it was built without {' and '.join(missing)}; pip install --force-reinstall opencv-python-headless"
        return doubtful("opencv", found, remedy)
    return good("opencv", found)


def check_model() -> Check:
    """Whether the model in use is whole, loads, and reads the shipped digits on this machine. Raises ModelError."""
    from edge.inference.installed import installed_model
    from edge.system.trial import ENOUGH, TRIED, try_model

    installed = installed_model("digit")
    trial = try_model(installed)
    manifest = trial.manifest
    found = f"{manifest.name} ({manifest.recipe}), sha256 {manifest.sha256[:12]}, {trial.right} of {TRIED} digits right"
    if installed is not None:
        found += f", installed in {installed.parent}"
    if not trial.passed:
        remedy = f"a good runtime reads {ENOUGH} or more; install another: pip install --upgrade ai-edge-litert"
        return failed("model", found, remedy, ModelError.exit_code)
    return good("model", found)


def check_use() -> Check | None:
    """Whether the model of the latest run met what it was made for, as far as a run left word; None if none did."""
    try:
        from edge.inference.installed import SYSTEM_STATE
        from edge.sinks.lasting import FILE, LastingFigures
        from edge.sinks.state import state_folder
    except ImportError:  # the checks of what is missing have said so
        return None
    folders = [state_folder()] + ([SYSTEM_STATE] if os.geteuid() == 0 else [])
    left = [found for folder in folders if (found := LastingFigures.read(folder / FILE)) is not None]
    if not left:
        return None
    latest = max(left, key=lambda one: one.time)
    day = time.strftime("%Y-%m-%d %H:%M", time.localtime(latest.time))
    said = f"{latest.model}, {day}, {latest.left or latest.all}"
    if latest.left:
        remedy = "look at the lens, the light and who writes; corrected digits teach the model: docs/learn.md"
        return doubtful("model in use", said, remedy)
    return good("model in use", said)


def check_cameras(root: Path = Path("/")) -> Check:
    """Which cameras the system shows, without opening any; none at all is a warning."""
    devices = find_video_devices(root)
    cameras = [device for device in devices if device.kind == "camera"]
    ribbon = [device for device in devices if device.kind == "csi"]
    closed = [device for device in cameras if not os.access(root / device.path.lstrip("/"), os.R_OK | os.W_OK)]
    found = ", ".join(f"{device.path} {device.name}" for device in cameras + ribbon) or "none found"
    if closed:
        remedy = f"{closed[0].path} may not be opened: sudo usermod -aG video $USER, then log in again"
        return doubtful("camera", found, remedy)
    if cameras:
        return good("camera", found)
    remedy = CSI_REMEDY if ribbon else "plug one in, or try `edge run --camera demo`; files need none"
    return doubtful("camera", found, remedy)


def check_camera(spec: str, root: Path = Path("/")) -> Check:
    """Whether the camera SPEC gives a frame. Raises SourceError or UsageError if it does not."""
    device = _device_of(spec, find_video_devices(root))
    if device is not None and device.kind == "csi":
        return failed("camera", f"{spec}: {device.name} on the CSI connector", CSI_REMEDY, SourceError.exit_code)
    if device is not None and device.kind == "other":
        remedy = "it gives no pictures; `edge doctor` without --camera lists the cameras"
        return failed("camera", f"{spec}: {device.name} is no camera", remedy, SourceError.exit_code)

    height, width = _first_frame(spec).pixels.shape[:2]
    return good("camera", f"{spec}: {width}×{height}")


def _first_frame(spec: str) -> Frame:
    """The first frame of the source SPEC. Raises SourceError or UsageError if none comes in time."""
    from edge.sources.open import open_source

    arrived: Queue[Frame | EdgeError | None] = Queue()

    def fetch() -> None:
        try:
            with open_source(spec) as source:
                arrived.put(next(iter(source), None))
        except EdgeError as error:
            arrived.put(error)

    # A daemon: a driver that never returns from a read must not keep the doctor from ending.
    Thread(target=fetch, name=f"first frame of {spec}", daemon=True).start()
    try:
        frame = arrived.get(timeout=_FIRST_FRAME_S)
    except Empty:
        raise SourceError(
            f"camera {spec}: no frame in {_FIRST_FRAME_S:.1f} s; is another program using it, or the server silent?"
        ) from None
    if isinstance(frame, EdgeError):
        raise frame
    if frame is None:
        raise SourceError(f"camera {spec}: it ended without a frame; is it the right source?")
    return frame


def _device_of(spec: str, devices: tuple[VideoDevice, ...]) -> VideoDevice | None:
    """The device that SPEC (`0`, `usb:0`, `/dev/video0`) means, None for other kinds of source or an absent one."""
    number = spec.removeprefix("usb:")
    path = f"/dev/video{number}" if number.isascii() and number.isdigit() else spec
    return next((device for device in devices if device.path == path), None)


def check_folder(folder: Path) -> Check:
    """Whether results can be written into the folder the command was started in."""
    free = shutil.disk_usage(folder).free
    found = f"{folder}, {free / 1e9:.1f} GB free"
    if not os.access(folder, os.W_OK | os.X_OK):
        remedy = "nothing can be written here; start in another folder or give --output"
        return doubtful("folder", found, remedy)
    if free < _LEAST_FREE_BYTES:
        return failed("folder", found, "the disk is full; make room", SinkError.exit_code)
    return good("folder", found)
