"""How long what failed is left alone."""

from __future__ import annotations

from edge.patience import Patience


def test_waiting_doubles_up_to_a_bound_and_is_never_quite_the_same() -> None:
    patience = Patience(first_s=1, most_s=60, refused_s=30)
    for failures, whole in ((1, 1), (2, 2), (3, 4), (7, 60), (10**6, 60)):
        waits = {patience.after(failures) for _ in range(50)}
        assert len(waits) > 1 and all(whole / 2 <= wait <= whole for wait in waits)
    assert 15 <= patience.after(1, refused=True) <= 30
