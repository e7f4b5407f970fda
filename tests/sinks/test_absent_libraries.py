"""A library of an extra that is not installed is told of with the command that installs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edge.errors import SinkError
from edge.sinks.open import open_mqtt, open_sink


class Without:
    """Makes a library unimportable, as if it were not installed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(self, name: str, *_: object) -> None:
        if name == self.name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.fixture(params=["paho", "urllib3"])
def absent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    for loaded in [module for module in sys.modules if module.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setattr(sys, "meta_path", [Without(name), *sys.meta_path])
    return name


def test_an_absent_library_is_named_with_its_extra(absent: str, tmp_path: Path) -> None:
    extra = {"paho": "mqtt", "urllib3": "webhook"}[absent]
    with pytest.raises(SinkError, match=rf"pip install 'inkedge\[{extra}\]'"):
        if absent == "paho":
            open_mqtt("mqtt://broker/desk", state=tmp_path)
        else:
            open_sink("https://host/", state=tmp_path)
    assert not list(tmp_path.iterdir()), "nothing is begun that cannot go on"
