"""One door to the runtimes: a named one never falls back, an absent one is not a broken one."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.errors import RuntimeMissingError
from edge.inference.runtime import VARIABLE, find_runtime, open_interpreter
from edge.inference.shipped import find_model


def test_a_runtime_is_found_and_named() -> None:
    runtime = find_runtime()
    assert runtime.name in ("litert", "tflite")
    assert runtime.version[0].isdigit()


def test_a_named_runtime_never_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "tflite" if find_runtime().name == "litert" else "litert"
    monkeypatch.setenv(VARIABLE, other)
    with pytest.raises(RuntimeMissingError, match=VARIABLE):
        find_runtime()


def test_an_unknown_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "onnx")
    with pytest.raises(RuntimeMissingError, match="litert or tflite"):
        find_runtime()


def in_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


def test_no_runtime_at_all_says_what_to_install() -> None:
    done = in_python(
        "import sys; sys.modules['ai_edge_litert'] = sys.modules['tflite_runtime'] = None\n"
        "from edge.inference.runtime import find_runtime\n"
        "try: find_runtime()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    assert done.stdout.startswith("RuntimeMissingError no TFLite runtime: pip install ai-edge-litert"), done


def test_a_broken_runtime_is_shown_not_skipped(tmp_path: Path) -> None:
    package = tmp_path / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "interpreter.py").write_text("import libbroken_dependency\n")
    done = in_python(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from edge.inference.runtime import find_runtime\n"
        "find_runtime()"
    )
    assert done.returncode != 0
    assert "libbroken_dependency" in done.stderr


def test_opening_a_model_says_nothing_on_stderr() -> None:
    done = in_python(
        "from edge.inference.runtime import open_interpreter\n"
        "from edge.inference.shipped import find_model\n"
        "open_interpreter(find_model().read_bytes())"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_threads_do_not_change_the_answer() -> None:
    content = find_model().read_bytes()
    answers = []
    for threads in (1, 2):
        interpreter = open_interpreter(content, threads=threads)
        tensor = np.arange(784, dtype=np.uint8).reshape(1, 28, 28, 1)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], tensor)
        interpreter.invoke()
        answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).tolist())
    assert answers[0] == answers[1]
