"""What scripts/bench measures is what it says: its pictures are read right, and every row has its two times."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from measures import compared, reading

from edge.reading.reader import Mode, Reader


def texts(file: Path, mode: Mode) -> list[str]:
    return [found.text for found in reading.read_ms(file, Reader.open(mode=mode))[1].readings]


def test_the_pictures_hold_what_the_rows_say(tmp_path: Path) -> None:
    assert texts(reading.draw_cell(tmp_path / "cell.png"), "digit") == ["0"]
    assert texts(reading.draw_number(tmp_path / "number.png"), "number") == ["7210"]
    assert texts(reading.draw_page(tmp_path / "page.jpg"), "page") == ["72104", "14959"]
    assert len(texts(reading.draw_photo(tmp_path / "photo.jpg"), "page")) >= 2


def test_every_row_has_a_ratio_and_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "turns", lambda ours, others, rounds: ([ours()], [others()]))
    rows = reading.bench_reading()
    assert [row.target for row in rows] == [12, 40, 80, 2.5, 1.3]
    assert all(row.ours[0] > 0 and row.others[0] > 0 for row in rows)
    one_pass, every_view = rows[1].ours[0], rows[2].ours[0]
    assert every_view > one_pass


def test_a_row_tells_medians_their_ratio_and_its_spread() -> None:
    row = compared.Compared("ours", "theirs", "ms", [2.0, 4.0, 3.0], [1.0, 1.0, 2.0], 2.5).row()
    assert row == "| ours | 3 ms | theirs | 1 ms | 3.00 | 1.50–4.00 | ≤ 2.5 | 3 |"


def test_of_calls_the_quicker_quarter_counts() -> None:
    row = compared.Compared("ours", "theirs", "ms", [9.0, 2.0, 4.0, 3.0], [1.0, 8.0, 2.0, 8.0], quiet=True).row()
    assert row == "| ours | 3 ms | theirs | 2 ms | 1.50 | 0.25–9.00 | – | 4 |"


def test_the_first_round_warms_up() -> None:
    told = iter(range(100))
    ours, others = compared.turns(lambda: next(told), lambda: next(told), 3)
    assert (ours, others) == ([2, 4, 6], [3, 5, 7])
