"""Previews that are served on a free port of this machine; tests in a browser only where there is one."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from edge.live.vitals import Vitals
from edge.web.address import Address
from edge.web.preview import Preview

from .visits import Run, TracingReader, eventually

# The edge's own environment has no developer's tools: it is not meant to drive a browser.
collect_ignore_glob = [] if importlib.util.find_spec("selenium") else ["test_browser*.py"]


@dataclass(slots=True)
class Served:
    """A preview at address, of a run that goes on until it is stopped."""

    preview: Preview
    vitals: Vitals
    run: Run

    @property
    def address(self) -> Address:
        return self.preview.server.address


@pytest.fixture
def served() -> Iterator[Served]:
    vitals = Vitals()
    preview = Preview.open(Address(port=0), vitals, source="test", open_reader=TracingReader)
    run = Run(preview, vitals)
    assert eventually(lambda: run.frames > 0)
    yield Served(preview, vitals, run)
    run.stop()
    preview.close()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None or shutil.which("chromedriver") is None:
        pytest.skip("no chromium and chromedriver here; scripts/setup --packages installs them")
    return found
