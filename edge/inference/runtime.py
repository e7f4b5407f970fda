"""The one door to the TFLite runtimes: LiteRT (`ai_edge_litert`) and its ancestor `tflite_runtime`.

`INKEDGE_RUNTIME=litert|tflite` names one, and a named one never falls back to the other. Unnamed, LiteRT is taken where
it is installed, else tflite-runtime.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError, RuntimeMissingError

log = logging.getLogger(__name__)

VARIABLE = "INKEDGE_RUNTIME"
_OPEN_SIZE = 64

# name -> (distribution, module with Interpreter)
_KNOWN = {
    "litert": ("ai-edge-litert", "ai_edge_litert.interpreter"),
    "tflite": ("tflite-runtime", "tflite_runtime.interpreter"),
}


class _Busy(threading.local):
    """How long models have run, each thread for itself."""

    seconds = 0.0


_busy = _Busy()
# Two threads that both put stderr aside could give it back to each other, and lose it.
_aside = threading.Lock()


class Interpreter(Protocol):
    """What both runtimes' interpreters have in common and the edge uses."""

    def get_input_details(self) -> list[dict[str, Any]]: ...  # noqa: D102
    def get_output_details(self) -> list[dict[str, Any]]: ...  # noqa: D102
    def get_tensor_details(self) -> list[dict[str, Any]]: ...  # noqa: D102
    def set_tensor(self, tensor_index: int, value: npt.NDArray[Any]) -> None: ...  # noqa: D102
    def get_tensor(self, tensor_index: int) -> npt.NDArray[Any]: ...  # noqa: D102
    def resize_tensor_input(self, input_index: int, tensor_size: list[int]) -> None: ...  # noqa: D102
    def allocate_tensors(self) -> None: ...  # noqa: D102
    def invoke(self) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """An installed runtime: `litert` or `tflite`, and its Interpreter class."""

    name: str
    interpreter_class: type[Any]

    @property
    def version(self) -> str:
        """The version of the installed distribution."""
        from importlib.metadata import version  # costs a tenth of the start, and few ask

        return version(_KNOWN[self.name][0])


def _load(name: str) -> Runtime:
    """The runtime called name; ModuleNotFoundError of its own package if it is absent, anything else is shown."""
    distribution, module_name = _KNOWN[name]
    if name == "tflite" and int(np.__version__.split(".")[0]) >= 2:
        importlib.import_module("tflite_runtime")  # absent is absent, whatever numpy is
        raise RuntimeMissingError(
            f"tflite-runtime does not work with numpy {np.__version__}: pip install 'numpy<2', or use ai-edge-litert"
        )
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError:
        raise
    except (ImportError, AttributeError) as error:
        raise RuntimeMissingError(
            f"{distribution} is installed but does not load: {error}; "
            f"reinstall it: pip install --force-reinstall {distribution}"
        ) from error
    return Runtime(name=name, interpreter_class=module.Interpreter)


def find_runtime() -> Runtime:
    """The runtime to use on this machine.

    Raises RuntimeMissingError when the named one, or every known one, is absent or broken.
    """
    named = os.environ.get(VARIABLE, "")
    if named and named not in _KNOWN:
        raise RuntimeMissingError(f"{VARIABLE}={named}: unknown; use {' or '.join(_KNOWN)}, or unset it")
    for name in [named] if named else list(_KNOWN):
        package = _KNOWN[name][1].split(".")[0]
        try:
            found = _load(name)
        except ModuleNotFoundError as error:
            if error.name not in (package, _KNOWN[name][1]):
                raise
            if named:
                raise RuntimeMissingError(
                    f"{VARIABLE}={named}, but {_KNOWN[name][0]} is not installed: pip install {_KNOWN[name][0]}"
                ) from error
            continue
        log.info("runtime %s: %s", found.name, "named" if named else "the first one installed")
        return found
    raise RuntimeMissingError(
        "no TFLite runtime: pip install ai-edge-litert (64 bit), or tflite-runtime 'numpy<2' (32-bit Arm, Python 3.11)"
    )


@contextlib.contextmanager
def _without_notes() -> Iterator[None]:
    """Keep the runtime's `INFO:` lines off stderr; its C++ code writes them there, past Python, and has no switch."""
    try:
        stderr = os.dup(2)
    except OSError:  # no stderr: nothing to keep clean
        stderr = -1
    if stderr < 0 or not hasattr(os, "memfd_create"):  # outside Linux the notes are shown
        yield
        return
    with open(os.memfd_create("notes"), "w+b", buffering=0) as said:  # noqa: PTH123 (a descriptor, not a path)
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            said.seek(0)
            for line in said:
                if not line.startswith(b"INFO:"):
                    os.write(stderr, line)
            os.close(stderr)


def _give_room(interpreter: Interpreter) -> None:
    """Give an input whose sizes are open some that every layer has room for: the file's own 1 is pooled to nothing.

    An open batch stays the file's own 1.
    """
    for details in interpreter.get_input_details():
        signature = [int(size) for size in details.get("shape_signature", ())]
        if -1 in signature[1:]:
            rest = [_OPEN_SIZE if size == -1 else size for size in signature[1:]]
            interpreter.resize_tensor_input(details["index"], [int(details["shape"][0]), *rest])


def invoke(interpreter: Interpreter) -> None:
    """Run an interpreter, counting the time in busy_s()."""
    began = time.perf_counter()
    interpreter.invoke()
    _busy.seconds += time.perf_counter() - began


def busy_s() -> float:
    """Seconds that models have run in this thread so far."""
    return _busy.seconds


def open_interpreter(content: bytes, *, threads: int = 1) -> Interpreter:
    """An interpreter with tensors allocated for the bytes of a .tflite file; a size that is open is 64 at first.

    Raises ModelError if the runtime refuses the model, RuntimeMissingError if there is no runtime.
    """
    runtime = find_runtime()
    # Both runtimes crash rather than complain on some broken files; the identifier catches what is no model at all.
    if len(content) < 16 or content[4:8] != b"TFL3":
        raise ModelError("not a .tflite file: the identifier TFL3 is missing; convert the model again")
    try:
        with _aside, _without_notes():
            interpreter: Interpreter = runtime.interpreter_class(model_content=content, num_threads=threads)
            _give_room(interpreter)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = re.sub(r"\s+", " ", str(error)).strip()[:200]
        raise ModelError(
            f"{runtime.name} {runtime.version} does not load this model: {reason}; "
            "see `runtimes` in its manifest, or convert it again"
        ) from error
    return interpreter
