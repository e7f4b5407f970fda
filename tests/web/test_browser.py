"""The preview in a real browser: it moves, tells, fits a phone, survives a lost camera and a lost server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from edge.live.vitals import Vitals
from edge.sinks.base import Waiting
from edge.web.address import Address
from edge.web.preview import Preview

from .browsers import started
from .visits import Run, TracingReader, eventually, make_step

HOSTILE = '<img src=x onerror="document.title=1">&quot;'
CORNER = """
const [picture, canvas] = [document.getElementById("picture"), document.createElement("canvas")];
if (!picture.naturalWidth) return -1;
[canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
const pen = canvas.getContext("2d");
pen.drawImage(picture, 0, 0);
return pen.getImageData(canvas.width - 5, canvas.height - 5, 1, 1).data[0];
"""


@pytest.fixture(scope="module")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with started(chromium, tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture(autouse=True)
def _leave_the_last_page(browser: webdriver.Chrome) -> None:
    """What the last test's page says of its server's end is none of this test's."""
    browser.get("about:blank")
    browser.get_log("browser")


@contextmanager
def previewed(
    address: Address | None = None, *, source: str = "test", timeout_s: float = 5.0, token_file: Path | None = None
) -> Iterator[tuple[Preview, Vitals, Run]]:
    vitals = Vitals()
    preview = Preview.open(
        address or Address(port=0),
        vitals,
        source=source,
        open_reader=TracingReader,
        timeout_s=timeout_s,
        token_file=token_file,
    )
    run = Run(preview, vitals)
    try:
        yield preview, vitals, run
    finally:
        run.stop()
        preview.close()


def text(browser: webdriver.Chrome, name: str) -> str:
    return browser.find_element(By.ID, name).text


def complaints(browser: webdriver.Chrome) -> list[str]:
    """What the page said on the console since last asked."""
    return [str(entry["message"]) for entry in browser.get_log("browser")]


def moves(browser: webdriver.Chrome) -> bool:
    """True once the picture on the page has changed twice."""
    shades: set[int] = set()

    def changed() -> bool:
        shades.add(int(browser.execute_script(CORNER)))  # type: ignore[no-untyped-call]
        return len(shades - {-1}) >= 3

    return eventually(changed)


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_picture_readings_and_tensors_are_there_and_fit(browser: webdriver.Chrome, width: int, height: int) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    with previewed(source=HOSTILE) as (preview, vitals, _):
        vitals.queues[HOSTILE] = Waiting(waiting=3)
        browser.get(preview.server.greeting)
        assert moves(browser)
        assert eventually(lambda: text(browser, "status") == "live")
        assert eventually(lambda: text(browser, "now").split("\n") == ["42", "98 %"])
        assert eventually(lambda: "appeared" in text(browser, "events"))
        assert eventually(lambda: len(browser.find_elements(By.CSS_SELECTOR, ".glyph canvas")) == 2)
        assert eventually(lambda: text(browser, "fps") != "–" and float(text(browser, "fps")) > 1)
        assert "3 waiting" in text(browser, "queues") and HOSTILE in text(browser, "queues")
        assert browser.find_element(By.ID, "source").get_property("textContent") == HOSTILE
        assert browser.title == "42 – inkedge"
        wide = browser.execute_script("return document.documentElement.scrollWidth")  # type: ignore[no-untyped-call]
        assert wide <= width, "no scrolling sideways"
        assert complaints(browser) == []


def test_the_ink_can_be_looked_at_and_an_insight_held(browser: webdriver.Chrome) -> None:
    with previewed() as (preview, _, run):
        browser.get(preview.server.greeting)
        assert moves(browser)
        browser.find_element(By.ID, "show-ink").click()
        assert eventually(lambda: int(browser.execute_script(CORNER)) >= 250)  # type: ignore[no-untyped-call]
        assert eventually(lambda: preview.pictures["picture"].looking == 0), "the other stream has ended"
        browser.find_element(By.ID, "hold").click()
        held = browser.find_element(By.CSS_SELECTOR, ".glyph")
        frames = run.frames
        assert eventually(lambda: run.frames > frames + 100)
        assert held.is_displayed(), "the very same element is still there"
        assert complaints(browser) == []


def test_a_lost_camera_is_said_plainly_and_its_return_too(browser: webdriver.Chrome) -> None:
    with previewed(timeout_s=1.0) as (preview, vitals, run):
        browser.get(preview.server.greeting)
        assert moves(browser)
        run.stop()
        assert eventually(lambda: "no picture for" in text(browser, "status"))
        assert eventually(lambda: text(browser, "now") == "")
        again = Run(preview, vitals)
        assert eventually(lambda: text(browser, "status") == "live")
        again.stop()
        assert complaints(browser) == []


def test_a_server_that_comes_back_is_found_and_no_event_told_twice(browser: webdriver.Chrome) -> None:
    with previewed() as (preview, _, run):
        browser.get(preview.server.greeting)
        assert eventually(lambda: "appeared" in text(browser, "events"))
        address = preview.server.address
    assert eventually(lambda: text(browser, "status") == "connection lost")
    assert text(browser, "over")
    with previewed(address) as (preview, _, run):
        assert eventually(lambda: text(browser, "status") == "live")
        assert moves(browser)
        assert eventually(lambda: run.frames > 60)
        names = browser.execute_script(  # type: ignore[no-untyped-call]
            "return [...document.getElementById('events').children].map((item) => item.dataset.id)"
        )
        assert len(names) == len(set(names))


def test_the_token_lets_a_person_in_once_and_leaves_the_address(browser: webdriver.Chrome, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("correct-horse-battery\n")
    token.chmod(0o600)
    with previewed(Address(host="0.0.0.0", port=0), token_file=token) as (preview, _, _):
        port = preview.server.address.port
        browser.get(f"http://127.0.0.1:{port}/")
        field = browser.find_element(By.NAME, "token")
        field.send_keys("wrong", Keys.ENTER)
        assert eventually(lambda: "wrong" in browser.current_url)
        browser.find_element(By.NAME, "token").send_keys("correct-horse-battery", Keys.ENTER)
        assert eventually(lambda: browser.current_url == f"http://127.0.0.1:{port}/")
        assert moves(browser)
        browser.get_log("browser")  # of the two pages that were 401
        browser.get(f"http://127.0.0.1:{port}/")
        assert moves(browser)
        assert browser.execute_script("return document.cookie") == ""  # type: ignore[no-untyped-call]
        assert complaints(browser) == []


def test_a_page_whose_token_is_no_longer_right_asks_for_the_new_one(browser: webdriver.Chrome, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("the-token-of-yesterday")
    with previewed(Address(host="0.0.0.0", port=0), token_file=token) as (preview, _, _):
        address = preview.server.address
        browser.get(f"http://127.0.0.1:{address.port}/?token=the-token-of-yesterday")
        assert moves(browser)
    token.write_text("the-token-of-today")
    with previewed(address, token_file=token):
        assert eventually(lambda: bool(browser.find_elements(By.NAME, "token")))


def test_a_page_left_alone_in_the_background_costs_nothing(browser: webdriver.Chrome) -> None:
    with previewed() as (preview, _, _):
        browser.get(preview.server.greeting)
        assert moves(browser)
        first = browser.current_window_handle
        browser.switch_to.new_window("tab")
        assert eventually(lambda: preview.pictures["picture"].looking == 0)
        assert eventually(lambda: preview.recent.listening == 0)
        browser.close()
        browser.switch_to.window(first)
        assert moves(browser)


def test_before_the_first_picture_the_page_waits_for_it(browser: webdriver.Chrome) -> None:
    vitals = Vitals()
    preview = Preview.open(Address(port=0), vitals, source="test", open_reader=TracingReader)
    try:
        browser.get(preview.server.greeting)
        assert eventually(lambda: text(browser, "status") == "no picture yet")
        assert "Waiting for the camera" in text(browser, "over")
        vitals.count_frame(0.1)
        preview.see(make_step(100))
        assert eventually(lambda: text(browser, "status") == "live")
        assert eventually(lambda: int(browser.execute_script(CORNER)) > 0)  # type: ignore[no-untyped-call]
        assert complaints(browser) == []
    finally:
        preview.close()
