"""The review in a real browser, by keyboard: what a person enters is kept, whatever happens to the server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from edge.forms.job.entries import Said, enter
from edge.forms.job.ledger import Ledger
from edge.forms.job.review_queue import ReviewQueue
from edge.web.address import Address
from tests.forms.review_jobs import Made, make_job

from .browsers import started
from .visits import ask, eventually

HOSTILE = "<img src=x onerror=\"document.title='taken'\">&amp;=1+1"
LOOK = """
const crop = document.getElementById("crop");
return document.getElementById("one").hidden || !crop.src ? null
  : [crop.src, document.getElementById("value").value, document.activeElement.id];
"""
TILES = """
return [...document.querySelectorAll("#tiles button")].map((tile) => [tile.title, tile.firstChild.naturalWidth]);
"""
COMMONEST = "return document.querySelector('#digits [aria-pressed=true] b').textContent"
# Answers that take a while to come.
SLOW = """
const real = window.fetch;
window.fetch = (...asked) => new Promise((come) => setTimeout(() => come(real(...asked)), 700));
"""


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@contextmanager
def reviewing(job: Path, port: int, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """`edge forms review` of a job, once it answers; killed at the end."""
    command = [sys.executable, "-m", "edge", "forms", "review", str(job), "--port", str(port), *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            assert "http://127.0.0.1" in server.stderr.readline()
            yield server
        finally:
            server.kill()


@pytest.fixture
def browser(chromium: str, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with started(chromium, tmp_path / "profile") as driver:
        yield driver


def begin(browser: webdriver.Chrome, port: int, name: str = "Ann") -> None:
    """Open the page as somebody who was not here yet."""
    browser.get(f"http://127.0.0.1:{port}/")
    assert eventually(lambda: browser.find_element(By.ID, "name").is_displayed())
    browser.find_element(By.ID, "name").send_keys(name, Keys.ENTER)


def shown(browser: webdriver.Chrome, other_than: tuple[str, str] | None = None) -> tuple[tuple[str, str], str]:
    """(page, field) and the guess of the value that is shown, once it is another one."""
    found: list[tuple[tuple[str, str], str]] = []

    def is_there() -> bool:
        seen = browser.execute_script(LOOK)
        if seen is None:
            return False
        query = parse_qs(urlsplit(seen[0]).query)
        key = query["page"][0], query["field"][0]
        found[:] = [(key, seen[1])]
        return key != other_than

    assert eventually(is_there)
    return found[0]


def press(browser: webdriver.Chrome, *keys: str) -> None:
    """As on a keyboard: to an element that was active a moment ago, keys would take the focus from the present one."""
    ActionChains(browser).send_keys(*keys).perform()


def judge(browser: webdriver.Chrome, made: Made, count: int, last: tuple[str, str] | None) -> tuple[str, str] | None:
    """Look at so many values and type what stands there where the guess is another."""
    for _ in range(count):
        last, guess = shown(browser, last)
        digit = made.truth[last]
        press(browser, *([] if digit == guess else [digit]), Keys.ENTER)
    return last


def saved(browser: webdriver.Chrome) -> bool:
    return eventually(lambda: browser.find_element(By.ID, "saved").text == "saved")


def test_fifty_values_and_three_sheets_by_keyboard_and_the_server_is_killed_in_between(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    made, port = make_job(tmp_path, alphabet="67"), free_port()
    with reviewing(made.job, port) as server:
        begin(browser, port)
        last = judge(browser, made, 20, None)
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        last = judge(browser, made, 5, last)  # the next ones are here already, and what is said is kept
        assert eventually(lambda: "not saved yet" in browser.find_element(By.ID, "saved").text)
    with reviewing(made.job, port):
        last = judge(browser, made, 25, last)
        assert saved(browser)
        assert browser.execute_script("return document.getElementById('left').textContent").startswith("10 left")
        press(browser, "s")
        odd: set[tuple[str, str]] = set()
        looked: set[tuple[str, str]] = set()
        for digit, asked in (("7", True), ("7", False), ("6", True)):
            if asked:
                press(browser, digit)
            assert eventually(partial(sheet_is, browser, digit))
            seen, strange = judge_sheet(browser, made, digit)
            assert seen and not seen & looked
            looked, odd = looked | seen, odd | strange
        assert saved(browser)
        press(browser, "s")
        errors = [entry for entry in browser.get_log("browser") if "ERR_CONNECTION" not in entry["message"]]
        assert errors == []
    with Ledger(made.job) as ledger:
        entries = ledger.rows("SELECT page, field, kind, value, name FROM entry")
        said = {(page, field): (kind, value) for page, field, kind, value, _ in entries}
        assert len(said) == len(entries) > 100 and {row[4] for row in entries} == {"Ann"}
        assert {key for key, (kind, _) in said.items() if kind == "odd"} == odd
        assert all(value == made.truth[key] for key, (kind, value) in said.items() if kind != "odd")
        queue = ReviewQueue(ledger)
        waiting = {(one.page, one.field) for one in queue.waiting("risk", 300)}
        assert odd and odd <= waiting and len(waiting - odd) <= 10
        assert len(said) == 50 + len(looked)
        assert queue.alike("7", 300) == ()


def sheet_is(browser: webdriver.Chrome, digit: str) -> bool:
    alt = browser.execute_script("return document.querySelector('#tiles img')?.alt")
    return bool(alt == f"{digit}?") and all(width == 40 for _, width in browser.execute_script(TILES))


def judge_sheet(browser: webdriver.Chrome, made: Made, digit: str) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Mark what is another digit with the space bar, accept the rest; tells what was seen and what was marked."""
    shown = browser.execute_script("return [...document.querySelectorAll('#tiles button')].map((t) => t.dataset.key)")
    keys = [(page, field) for page, _, field in (key.partition(" ") for key in shown)]
    odd = set()
    for place, key in enumerate(keys):
        if made.truth[key] != digit:
            odd.add(key)
            press(browser, Keys.SPACE)
        if place + 1 < len(keys):
            press(browser, Keys.ARROW_RIGHT)
    press(browser, Keys.ENTER)
    return set(keys), odd


def test_a_sheet_that_is_not_here_yet_is_not_accepted_and_keeps_its_marks(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    made, port = make_job(tmp_path, pages=1, alphabet="67"), free_port()
    with reviewing(made.job, port):
        begin(browser, port)
        shown(browser)
        press(browser, "s", "7")
        assert eventually(partial(sheet_is, browser, "7"))
        press(browser, Keys.SPACE, "7")
        assert browser.execute_script("return document.querySelectorAll('#tiles [aria-pressed=true]').length") == 1
        browser.execute_script(SLOW)
        press(browser, "6", Keys.ENTER)
        assert eventually(partial(sheet_is, browser, "6"))
        assert browser.find_element(By.ID, "saved").text == "", "nothing was said"
    with Ledger(made.job) as ledger:
        assert ledger.rows("SELECT field FROM entry") == []


def test_a_value_that_comes_late_does_not_come_between_the_sheet_and_who_judges_it(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    made, port = make_job(tmp_path, pages=1, alphabet="67"), free_port()
    with reviewing(made.job, port):
        begin(browser, port)
        shown(browser)
        browser.execute_script(SLOW)
        for keys in (("o", "s"), ("o",)):  # another order: the values come anew, here when the sheet is open already
            press(browser, *keys)
            assert eventually(partial(sheet_is, browser, browser.execute_script(COMMONEST)))
            time.sleep(1.5)
            assert not browser.find_element(By.ID, "one").is_displayed()
            assert browser.execute_script("return document.activeElement.parentElement.id") == "tiles"
        press(browser, "s")
        assert eventually(browser.find_element(By.ID, "one").is_displayed)
        shown(browser)


def test_what_is_taken_back_comes_again_and_what_another_said_is_shown(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    made, port = make_job(tmp_path, pages=1), free_port()
    with reviewing(made.job, port):
        begin(browser, port)
        first, _ = shown(browser)
        press(browser, "u")
        second, _ = shown(browser, first)
        press(browser, "e")
        third, _ = shown(browser, second)
        press(browser, "z")
        assert shown(browser, third)[0] == second
        press(browser, "z")
        assert shown(browser, second)[0] == first
        press(browser, "l")
        assert shown(browser, first)[0] == second
        with Ledger(made.job) as ledger, ledger.change() as db:
            assert enter(db, [Said(page=second[0], field=second[1], value="8")], name=HOSTILE).noted == 1
        press(browser, "7", Keys.ENTER)
        shown(browser, second)
        assert eventually(lambda: "has said '8' meanwhile" in browser.find_element(By.ID, "notes").text)
        assert HOSTILE in browser.find_element(By.ID, "notes").text
        browser.find_element(By.CSS_SELECTOR, "#notes button").click()
        assert eventually(lambda: shown(browser)[0] == second)
        press(browser, "7", Keys.ENTER)
        assert saved(browser)
    with Ledger(made.job) as ledger:
        seen = ReviewQueue(ledger).seen(*second)
        assert seen is not None and seen.said is not None
        assert (seen.said.value, seen.said.name) == ("7", "Ann")


def test_names_and_texts_stay_text_and_a_phone_shows_all(browser: webdriver.Chrome, tmp_path: Path) -> None:
    made, port = make_job(tmp_path / HOSTILE.replace("/", ""), pages=1), free_port()
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    )
    with reviewing(made.job, port):
        begin(browser, port, HOSTILE)
        shown(browser)
        assert HOSTILE.replace("/", "") in browser.find_element(By.ID, "place").text
        assert browser.find_element(By.ID, "who").text == HOSTILE and "left" in browser.title
        assert browser.execute_script("return document.images.length") == 3
        widths = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= 390
        field = browser.find_element(By.ID, "value")
        field.clear()
        browser.execute_script("arguments[0].value = arguments[1]", field, "=1+1" * 3000)
        press(browser, Keys.ENTER)
        assert "digits only" in browser.execute_script(
            "document.getElementById('value').dispatchEvent(new Event('input'));"
            "return document.getElementById('hint').textContent"
        )
        browser.find_element(By.ID, "tab-sheet").click()
        assert eventually(lambda: bool(browser.execute_script(TILES)))
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
        assert browser.get_log("browser") == []


def test_two_names_key_each_value_blind_and_their_disagreement_comes_again(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    made, port = make_job(tmp_path, pages=1), free_port()
    with reviewing(made.job, port, "--twice"):
        answer = json.loads(ask(Address(port=port), "/api/values?name=Ben&most=60").body)
        assert len(answer) == 10 and all("text" not in one and "reason" not in one for one in answer)
        for place, one in enumerate(answer):
            key = one["page"], one["field"]
            digit = made.truth[key] if place else str((int(made.truth[key]) + 1) % 10)
            body = {"name": "Ben", "token": f"b{place}", "page": key[0], "field": key[1], "revision": 0, "value": digit}
            assert ask(Address(port=port), "/api/enter", method="POST", body=json.dumps(body).encode()).status == 200
        assert json.loads(ask(Address(port=port), "/api/values?name=Ben&most=60").body) == []
        begin(browser, port)
        last: tuple[str, str] | None = None
        for _ in range(10):
            last, guess = shown(browser, last)
            assert guess == ""
            press(browser, made.truth[last], Keys.ENTER)
        assert eventually(lambda: browser.find_element(By.ID, "reason").text == "two names disagree")
        assert {"Ann", "Ben"} <= set(browser.find_element(By.ID, "alternatives").text.split())
        assert saved(browser)
    with Ledger(made.job) as ledger:
        assert len(ReviewQueue(ledger).disputed()) == 1
        assert ledger.rows("SELECT DISTINCT name FROM correction") == [("Ben + Ann",)]
