"""The review as programs see it: what is sent is not trusted, pictures come without scans, nothing is shown twice."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import cv2
import numpy as np
import pytest

from edge.errors import JobError
from edge.forms.job.entries import Said
from edge.forms.job.ledger import Ledger
from edge.forms.job.review_queue import ReviewQueue
from edge.values import Image
from edge.web.access import Access
from edge.web.address import Address
from edge.web.review.app import Review, review_app
from edge.web.review.desk import Desk
from edge.web.serve import Server
from tests.forms.review_jobs import Made, make_crowd, make_job

from .visits import Answer, ask


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make_job(tmp_path, pages=2)


@pytest.fixture
def address(made: Made) -> Iterator[Address]:
    with served(made.job) as place:
        yield place


@contextmanager
def served(job: Path) -> Iterator[Address]:
    place = Address(port=0)
    with closing(Review(job)) as review, Server.start(review_app(review), place, Access.open(place)) as server:
        yield server.address


def get(address: Address, path: str, **query: object) -> Answer:
    return ask(address, f"{path}?{urlencode({'name': 'Ann'} | query)}")


def told(answer: Answer) -> Any:
    assert answer.status == 200, answer
    return json.loads(answer.body)


def post(address: Address, path: str, content: object) -> Answer:
    return ask(address, path, method="POST", body=json.dumps(content).encode())


def entry(value: dict[str, Any], /, **changed: object) -> dict[str, object]:
    said = {"name": "Ann", "token": "t", "page": value["page"], "field": value["field"], "revision": value["revision"]}
    return {**said, "value": "7", "took_s": 1.5, **changed}


def decoded(content: bytes) -> Image:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


def test_the_page_comes_from_this_program_alone(address: Address) -> None:
    page = ask(address, "/")
    assert page.status == 200 and "default-src 'none'" in page.headers["content-security-policy"]
    assert b"http://" not in page.body and b"https://" not in page.body and b"style=" not in page.body
    for path in ("/review.css", "/review.js", "/one.js", "/sheet.js", "/sender.js", "/icon.svg", "/healthz"):
        assert ask(address, path).status == 200
    assert ask(address, "/../ledger.sqlite").status == 404


def test_a_value_has_its_crop_and_the_page_around_it(address: Address, made: Made) -> None:
    first, *_ = told(get(address, "/api/values", most=3))
    assert first["field"].startswith("g[") and first["text"] and first["reason"] and first["revision"] == 0
    key = {"page": first["page"], "field": first["field"]}
    assert decoded(get(address, "/crop.png", **key).body).shape[0] >= 40
    part, whole = (decoded(get(address, "/around.jpg", **key, whole=whole).body) for whole in (0, 1))
    assert whole.shape == (200, 320) and part.shape[1] > part.shape[0]
    for file in made.job.parent.glob("*.png"):
        file.unlink()
    gone = get(address, "/around.jpg", **key | {"field": "g[2,2]"})
    assert gone.status in (200, 404)
    assert get(address, "/crop.png", **key).status == 200  # that one is in the ledger


def test_tiles_are_the_cells_and_come_without_the_scans(address: Address, made: Made) -> None:
    for file in made.job.parent.glob("*.png"):
        file.unlink()
    found = told(get(address, "/api/alike", text="5", most=50))
    assert found
    for one in found:
        tile = decoded(base64.b64decode(one["picture"].partition(",")[2]))
        assert tile.shape == (40, 40) and tile.min() < 100 < 200 < tile.max()


def test_a_ledger_without_tiles_has_them_cut_from_the_pages(tmp_path: Path) -> None:
    made = make_job(tmp_path, pages=1, tiles=False)
    for is_there in (True, False):
        with served(made.job) as address:
            first, *_ = told(get(address, "/api/alike", text="5", most=50))
            tile = decoded(base64.b64decode(first["picture"].partition(",")[2]))
            assert bool(tile.min() < 100) == is_there
        (tmp_path / "1.png").unlink(missing_ok=True)


def test_what_is_entered_is_on_disk_counted_and_taken_back(address: Address, made: Made) -> None:
    first, second, *_ = told(get(address, "/api/values", most=10))
    assert told(post(address, "/api/enter", entry(first))) == {"noted": 1, "refused": []}
    assert told(post(address, "/api/enter", entry(first))) == {"noted": 1, "refused": []}  # the same press of a key
    with Ledger(made.job) as ledger:
        assert ledger.rows("SELECT value, name, took_s FROM entry") == [("7", "Ann", 1.5)]
    assert told(get(address, "/api/state"))["left"] == 19
    (late,) = told(post(address, "/api/enter", entry(first, token="u", name="Ben", value="8")))["refused"]
    assert late["known"] and "Ann has said '7' meanwhile" in late["why"]
    told(post(address, "/api/enter", entry(second, token="v", value=None)))
    for _ in range(2):  # an answer that was lost is asked for again
        (back,) = told(post(address, "/api/undo", {"name": "Ann", "token": "v"}))
        assert (back["page"], back["field"]) == (second["page"], second["field"])
    state = told(get(address, "/api/state"))
    assert (state["left"], state["judged"]) == (19, 1)


def test_what_one_is_shown_others_are_not(address: Address) -> None:
    mine, theirs = (told(get(address, "/api/values", name=name, most=12)) for name in ("Ann", "Ben"))
    assert len(mine) == 12 and len(theirs) == 8
    assert not {(one["page"], one["field"]) for one in mine} & {(one["page"], one["field"]) for one in theirs}


def test_a_sheet_is_judged_at_once_and_taken_back_at_once(address: Address, made: Made) -> None:
    found = told(get(address, "/api/alike", text="5", most=50))
    values = [
        {"page": one["page"], "field": one["field"], "revision": 0, "odd": not place} for place, one in enumerate(found)
    ]
    sheet = {"name": "Ann", "token": "s", "text": "5", "took_s": 10.0, "values": values}
    assert told(post(address, "/api/sheet", sheet))["noted"] == len(found)
    assert told(get(address, "/api/alike", text="5", most=50)) == []
    with Ledger(made.job) as ledger:
        kinds = [kind for (kind,) in ledger.rows("SELECT kind FROM entry ORDER BY id")]
        assert kinds == ["odd"] + ["accepted"] * (len(found) - 1)
    assert len(told(post(address, "/api/undo", {"name": "Ann", "token": "s"}))) == len(found)
    assert len(told(get(address, "/api/alike", text="5", most=50))) == len(found)


def test_an_error_rate_is_chosen_for_everybody(address: Address, made: Made) -> None:
    before = told(get(address, "/api/state"))["left"]
    post(address, "/api/error", {"error": 0.05})
    state = told(get(address, "/api/state"))
    assert state["error"] == 0.05 and state["left"] < before
    found = told(get(address, "/api/values", most=60))
    assert len(found) == state["left"]
    with Ledger(made.job) as ledger:
        assert ReviewQueue(ledger).choice("max_error") == "0.05"


@pytest.mark.parametrize(
    "changed",
    [
        {"value": "=1+1"}, {"value": "<b>"}, {"value": "1" * 41}, {"value": "9" * 10_000}, {"value": 7},
        {"value": "1\x002"}, {"name": ""}, {"name": "\x07"}, {"name": "n" * 61}, {"name": None},
        {"revision": "0"}, {"revision": -1},
        {"revision": True}, {"revision": 10**30}, {"page": "p" * 201}, {"field": []}, {"token": ""},
        {"token": "t" * 65},
    ],
)  # fmt: skip
def test_what_is_not_right_is_refused_and_said(address: Address, changed: dict[str, object]) -> None:
    first, *_ = told(get(address, "/api/values", most=1))
    answer = post(address, "/api/enter", entry(first, **changed))
    assert answer.status == 400 and 5 < len(json.loads(answer.body)["error"]) < 200
    assert told(get(address, "/api/state"))["judged"] == 0


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"null", b"[" * 50_000, b'{"name": "\xff"}', b'{"took_s": NaN}'])
def test_what_is_no_entry_is_refused(address: Address, body: bytes) -> None:
    for path in ("/api/enter", "/api/sheet", "/api/undo", "/api/error"):
        status = ask(address, path, method="POST", body=body or b" ").status
        assert status == 400 or (path == "/api/error" and b"took_s" in body)


def test_another_sites_page_cannot_enter_anything(address: Address) -> None:
    first, *_ = told(get(address, "/api/values", most=1))
    body = json.dumps(entry(first)).encode()
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert ask(address, "/api/enter", method="POST", headers=headers, body=body).status == 403
    assert ask(address, "/api/enter", headers={"Host": "evil.example"}).status == 421
    assert ask(address, "/api/enter").status == 405
    assert told(get(address, "/api/state"))["judged"] == 0


def test_beyond_this_machine_nothing_is_shown_without_the_token(made: Made) -> None:
    access = Access(token="a token of some length")
    with (
        closing(Review(made.job)) as review,
        Server.start(review_app(review), Address(port=0), access) as server,
    ):
        for path in ("/", "/api/state?name=Ann", "/api/values?name=Ann", "/review.js", "/crop.png"):
            assert ask(server.address, path).status == 401
        assert post(server.address, "/api/undo", {"name": "Ann"}).status == 401
        bearer = {"Authorization": "Bearer a token of some length"}
        assert ask(server.address, "/api/state?name=Ann", headers=bearer).status == 200


def test_there_is_nothing_to_see_of_values_that_are_not_there(address: Address) -> None:
    for path in ("/api/value", "/crop.png", "/around.jpg"):
        answer = get(address, path, page="0" * 64, field="<script>")
        assert answer.status == 404 and b"<script>" not in answer.body
    assert get(address, "/api/values", order="sideways").status == 400
    assert told(get(address, "/api/values", after='["x"'))  # not a place: from the beginning
    assert told(get(address, "/api/values", after="[null, 1, 2]"))


def test_a_job_that_is_none_is_told_before_anything_is_served(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="there is no ledger"):
        Review(tmp_path)
    command = [sys.executable, "-m", "edge", "forms", "review", str(tmp_path), "--port", "0"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 5 and "there is no ledger in it" in run.stderr


def test_a_hundred_thousand_values_take_little_memory(tmp_path: Path) -> None:
    make_crowd(tmp_path / "job")
    command = [sys.executable, "-m", "edge", "forms", "review", str(tmp_path / "job"), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            place = Address(port=int(server.stderr.readline().split("127.0.0.1:")[1].split("/")[0]))
            assert told(get(place, "/api/state"))["left"] == 100_000
            for order in ("risk", "field", "page"):
                after = ""
                for number in range(5):
                    found = told(get(place, "/api/values", order=order, after=after, most=12))
                    after = found[-1]["after"]
                    said = entry(found[0], token=f"{order}{number}")
                    assert told(post(place, "/api/enter", said))["noted"] == 1
            post(place, "/api/error", {"error": 0.01})
            assert told(get(place, "/api/state"))["left"] > 1000
            if sys.platform == "linux":
                status = Path(f"/proc/{server.pid}/status").read_text()
                peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
                assert int(peak.split()[1]) < 300 * 1024
        finally:
            server.kill()
    assert (tmp_path / "job" / "ledger.sqlite").stat().st_size < 200_000_000


def test_the_values_are_counted_before_anybody_waits_for_the_first_page(tmp_path: Path) -> None:
    made = make_job(tmp_path, pages=2)
    with closing(Desk(made.job)) as desk:
        questions: list[str] = []
        desk._ledger._db.set_trace_callback(questions.append)
        left = desk.progress("Ann").left.waiting
        assert left > 2 and not [question for question in questions if "count(" in question]
        one, seen = desk.next_values("Ann", "risk", after="", most=1)[0]
        said = Said(page=one.page, field=one.field, value="7", seen=seen.revision)
        assert desk.enter("Ann", [said], "t").noted
        assert desk.progress("Ann").left.waiting == left - 1, "what was said here counts at once"
