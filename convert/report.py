"""What was quantized and measured, as text for people and as JSON for programs."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convert.figures import Measured, Parity, Row
from convert.quantize import Quantized
from edge.errors import SinkError

# More would be a list that nobody reads; the HTML page shows every one.
_DIGITS_LISTED = 20


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Columns padded to their widest cell, the first `left` of them to the left, the others to the right."""
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    lines = []
    for line in (head, *rows):
        names = [cell.ljust(width) for cell, width in zip(line[:left], widths[:left], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(line[left:], widths[left:], strict=True)]
        lines.append("  ".join(names + numbers).rstrip())
    return "\n".join(lines)


def write_text(file: Path, content: str) -> None:
    """Write a whole file, aside first. Raises SinkError if that is not possible."""
    part = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(content, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise SinkError(f"{file}: cannot be written: {error.strerror}; choose another place") from error


def quantized_table(models: Sequence[Quantized]) -> str:
    """One line a model: recipe, bytes, temperature, threshold, held-back accuracy with n, where it loads."""
    head = ("recipe", "bytes", "temperature", "threshold", "held-back %", "n", "loads in")
    return text_table(head, [_quantized_line(model) for model in models])


def _quantized_line(model: Quantized) -> tuple[str, ...]:
    manifest = model.manifest
    heldback = manifest.metrics.get("heldback")
    return (
        manifest.recipe,
        f"{model.size:,}",
        f"{manifest.temperature:.3f}",
        f"{manifest.threshold:.4f}",
        f"{heldback['accuracy']:.2f}" if heldback else "–",
        f"{heldback['n']:,}" if heldback else "0",
        ", ".join(manifest.runtimes),
    )


COLUMNS = (
    "model",
    "runtime",
    "n",
    "accuracy % (95 %)",
    "drop",
    "agree %",
    "largest Δp",
    "mean Δp",
    "bytes",
    "p50 µs",
    "p95 µs",
)


def parity_lines(row: Row) -> tuple[str, ...]:
    """The cells of COLUMNS for one row; a model that did not run has only its name, runtime and bytes."""
    found = row.measured
    if found is None:
        blank = ("–",) * (len(COLUMNS) - 7)
        return (row.manifest.name, str(row.runtime), "0", "does not run", *blank, f"{row.size:,}", "–", "–")
    low, high = found.interval
    return (
        row.manifest.name,
        str(row.runtime),
        f"{found.n:,}",
        f"{found.accuracy:.2f} ({low:.2f}–{high:.2f})",
        f"{round(found.drop, 2) + 0.0:+.2f}",
        f"{found.agreement:.2f}",
        f"{found.largest_difference:.4f}",
        f"{found.mean_difference:.6f}",
        f"{row.size:,}",
        f"{found.percentile_us(50):,.0f}",
        f"{found.percentile_us(95):,.0f}",
    )


def parity_text(parity: Parity) -> str:
    """The whole measurement for a terminal: tables, what differs, gates, recommendation."""
    parts = [
        f"Keras: {parity.keras_accuracy:.2f} % of {parity.n:,} {parity.unit}s ({parity.data}); "
        "drop in points against it"
    ]
    parts.append(text_table(COLUMNS, [parity_lines(row) for row in parity.rows], left=2))
    if parity.pairs:
        head = ("model", "runtimes", "n", "agree %")
        lines = [(p.model, f"{p.first} / {p.second}", f"{p.n:,}", f"{p.agreement:.2f}") for p in parity.pairs]
        parts.append(text_table(head, lines, left=2))
    parts.append("\n".join(sentences(parity)))
    return "\n\n".join(parts)


def sentences(parity: Parity) -> list[str]:
    """What the tables do not say: where models differ, problems, smaller n, gates, recommendation."""
    said = []
    for row in parity.rows:
        place = f"{row.manifest.name} on {row.runtime}"
        if row.measured is None:
            said.append(f"{place}: {row.problem}" + (" (its manifest does not name it)" if row.excused else ""))
            continue
        if row.measured.n < parity.n:
            said.append(
                f"{place}: {row.measured.n:,} {parity.unit}s, evenly spread, for it has no fast kernels; "
                "drop on the same ones"
            )
        if len(row.measured.differing):
            said.append(f"{place}: differs from Keras on {_listed(row.measured, parity.unit)}")
    gates = parity.gates
    limits = (
        f"drop ≤ {gates.max_drop:g}, agreement ≥ {gates.min_agreement:g} %, between runtimes ≥ {gates.min_between:g} %"
    )
    said.append(f"gates ({limits}): " + ("not met" if parity.broken_gates else "met by all"))
    said += [f"  {broken.words}" for broken in parity.broken_gates]
    best = parity.recommended
    said.append(f"recommended: {best.file}, the fastest here that meets them" if best else "recommended: none")
    return said


def _listed(found: Measured, unit: str) -> str:
    numbers = [str(index) for index in found.indices[found.differing][:_DIGITS_LISTED].tolist()]
    rest = len(found.differing) - len(numbers)
    what = unit if len(found.differing) == 1 else f"{unit}s"
    return f"{len(found.differing)} {what}: {', '.join(numbers)}" + (f" and {rest} more" if rest else "")


def parity_json(parity: Parity) -> dict[str, Any]:
    """The whole measurement for programs; accuracies, drops and agreements in percent, times in µs a picture."""
    best = parity.recommended
    return {
        "format": 1,
        "data": parity.data,
        "unit": parity.unit,
        "n": parity.n,
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        "keras_accuracy": parity.keras_accuracy,
        "gates": {
            "max_drop": parity.gates.max_drop,
            "min_agreement": parity.gates.min_agreement,
            "min_between_runtimes": parity.gates.min_between,
        },
        "models": [_row_json(row, parity) for row in parity.rows],
        "between_runtimes": [
            {"model": p.model, "runtimes": [str(p.first), str(p.second)], "n": p.n, "agreement": p.agreement}
            for p in parity.pairs
        ],
        "broken": [broken.words for broken in parity.broken_gates],
        "passed": not parity.broken_gates,
        "recommended": str(best.file) if best else None,
    }


def _row_json(row: Row, parity: Parity) -> dict[str, Any]:
    head = {
        "model": row.manifest.name,
        "file": str(row.file),
        "sha256": row.manifest.sha256,
        "recipe": row.manifest.recipe,
        "runtime": row.runtime.name,
        "runtime_version": row.runtime.version,
        "bytes": row.size,
        "problem": row.problem or None,
        "passed": row.measured is not None and not row.broken_gates(parity.gates),
    }
    if row.measured is None:
        return head
    found = row.measured
    return head | {
        "n": found.n,
        "accuracy": found.accuracy,
        "low": found.interval[0],
        "high": found.interval[1],
        "keras_accuracy": found.keras_accuracy,
        "drop": found.drop,
        "agreement": found.agreement,
        "largest_difference": found.largest_difference,
        "mean_difference": found.mean_difference,
        "p50_us": found.percentile_us(50),
        "p95_us": found.percentile_us(95),
        "differing": found.indices[found.differing].tolist(),
    }
