"""Reports and audits of a job, against figures worked out by hand."""

import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import pytest

from edge.errors import SourceError, UsageError
from edge.forms.job.generation import Generation
from edge.forms.job.job_page import StoredPage
from edge.forms.job.ledger import Ledger
from edge.forms.job.work import hash_pixels
from edge.forms.judge.audit import write_audit
from edge.forms.judge.charts import error_curve
from edge.forms.judge.report import write_report
from edge.forms.judge.scored import Score, certainty_of, score_job, straight_through
from edge.forms.truth import Known, read_truth
from edge.sources.files import hash_file, read_pages
from edge.values import Page
from tests.forms.stand_in import SLIP, StandIn, picture, write_page

# Accounts 1 to 20: those that 5 divides are for review, scores that 7 divides are empty.
NUMBERS = range(1, 21)


def name_of(number: int) -> str:
    return f"p{number:02}<b>&.png"


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job of twenty pages, and `copy.png`, which shows what the third does."""
    scans = tmp_path / "scans"
    scans.mkdir()
    files = [write_page(scans / name_of(number), number) for number in NUMBERS]
    files.append(write_page(scans / "copy.png", 3))
    folder = tmp_path / "job & co"
    with Ledger(folder, create=True) as ledger:
        run = ledger.begin(Generation.of((SLIP,)), [str(file) for file in files])
        for position, file in enumerate(files):
            sha256 = hash_file(file)
            ledger.note_file(run, position, file=sha256)
            ledger.set_count(run, sha256, 1)
            page = next(read_pages(file))
            assert isinstance(page, Page)
            ledger.record(run, sha256, StoredPage.of(StandIn().read(page, hash_pixels(page.pixels))))
        ledger.end(run)
    return folder


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """All of it is right but the accounts of the pages 4 (`read`) and 5 (for review); page 6's score is no number."""
    lines = ["file,field,value,kind"]
    for number in NUMBERS:
        account = {4: "0044", 5: "0055"}.get(number, f"{number:04}")
        lines.append(f"scans/{name_of(number)},account,{account},hand")
        score = "" if number % 7 == 0 else str(number)
        kind = "other" if number == 6 else "hand" if score else "blank"
        lines.append(f"scans/{name_of(number)},score,{'' if number == 6 else score},{kind}")
    lines.append("scans/elsewhere.png,account,1,hand")
    lines.append(f"scans/{name_of(1)},absent,1,ambiguous")
    (tmp_path / "truth.csv").write_text("\n".join(lines))
    return tmp_path / "truth.csv"


def test_values_are_scored_as_worked_out_by_hand(job: Path, truth: Path) -> None:
    with Ledger(job) as ledger:
        scored = score_job(ledger, read_truth(truth))
    assert len(scored) == 40
    account = Score.of("account", [one for one in scored if one.field == "account"])
    assert (account.right.hits, account.right.n) == (18, 20)
    assert (account.put_out.hits, account.wrong.hits, account.wrong.n) == (16, 1, 16)
    other = Score.of("other", [one for one in scored if one.known.kind == "other"])
    assert (other.right.n, other.put_out.hits, other.wrong.hits) == (0, 1, 1)
    certainty = certainty_of(scored)
    assert certainty is not None
    # 38 values stand there or were seen: 34 of confidence 0.99, of which 2 are wrong, and the 4 for review of 0.7
    assert len(certainty.right) == 38
    assert int(certainty.right.sum()) == 35
    found = straight_through(scored, certainty, 0.06)
    assert found.confidence == pytest.approx(0.99)
    assert (found.values.hits, found.values.n) == (34, 38)
    assert (found.pages.hits, found.pages.n) == (16, 20)
    assert straight_through(scored, certainty, 0.5).pages.hits == 20
    assert straight_through(scored, certainty, 0.001).confidence is None


class Links(HTMLParser):
    """Tags, and addresses of everything a page asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.asks: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.asks += [value or "" for name, value in attributes if name in ("src", "href", "data", "action")]


def test_the_report_needs_nothing_else_and_runs_nothing(job: Path, truth: Path, tmp_path: Path) -> None:
    told = write_report(job, truth, tmp_path / "report.html")
    assert told.startswith("20 pages, 40 known fields: right 94.59% (")  # 35 of 37
    text = (tmp_path / "report.html").read_text()
    page = Links()
    page.feed(text)
    assert page.asks and all(one.startswith("data:image/png;base64,") for one in page.asks)
    assert not page.tags & {"script", "link", "iframe", "object", "b&.png"}
    assert len(page.asks) == 2  # two wrong values were put out
    assert "read <b>0004</b> at 99.0%, is <b>0044</b>" in text and "is <b>other</b>" in text
    assert "p04&lt;b&gt;&amp;.png#1" in text and "p04<b>" not in text
    assert "job &amp; co" in text and "default-src 'none'" in text
    assert re.search(r"<td>account</td><td>20</td><td>90\.00% \(69\.90%–97\.21%\)</td>", text)
    assert list(tmp_path.glob("*.part")) == []


def test_a_mistake_whose_file_is_gone_is_told_without_its_picture(job: Path, truth: Path, tmp_path: Path) -> None:
    (tmp_path / "scans" / name_of(4)).unlink()
    write_report(job, truth, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert text.count("data:image/png") == 1
    assert "no such file" in text


def test_a_job_without_mistakes_says_so(job: Path, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text(f"file,field,value\n{name_of(7)},score,\n{name_of(8)},score,8\n")
    write_report(job, tmp_path / "truth.csv", tmp_path / "report.html")
    assert "No wrong value was put out" in (tmp_path / "report.html").read_text()


def test_a_curve_of_many_values_stays_small() -> None:
    import numpy as np

    from edge.inference.certainty import Certainty

    rng = np.random.default_rng(0)
    confidence = rng.random(20_000)
    certainty = Certainty(name="many", confidence=confidence, right=rng.random(20_000) < confidence)
    drawn = error_curve(certainty, now=(0.2, 0.3))
    assert len(drawn) < 20_000 and "this job" in drawn
    assert "nan" not in drawn


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column file, field, value"),
        ("file,field\na,b\n", "no column value"),
        ("file,field,value,kind\n", "knows of no field"),
        ("file,field,value,kind\na,b,1,pencil\n", "truth.csv:2: kind 'pencil'"),
        ("file,field,value,kind,page\na,b,1,hand,0\n", "truth.csv:2: page '0'"),
        ("file,field,value\na,b,1\na,b,2\n", "truth.csv:3: a b was said to be otherwise"),
        ("file,field,value\nz.png,b,1\n", "none of its pages is in the truth file; that knows z.png"),
    ],
)
def test_a_truth_that_cannot_be_used_says_where(job: Path, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "truth.csv").write_text(text)
    with pytest.raises(SourceError, match=re.escape(message)):
        write_report(job, tmp_path / "truth.csv", tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_truth_knows_pages_by_as_much_of_their_path_as_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("file,field,value,page\na.png,f,1,\nleft/a.png,f,2,\nleft/a.png,f,3,2\n")
    truth = read_truth(tmp_path / "truth.csv")
    assert truth.of("/scans/right/a.png", 1) == {"f": Known(value="1", kind="hand")}
    assert truth.of("/scans/left/a.png", 1)["f"].value == "2"
    assert truth.of("left/a.png", 2)["f"].value == "3"
    assert truth.of("/scans/b.png", 1) == {}


def test_an_audit_shows_what_was_read_where(job: Path, tmp_path: Path) -> None:
    place = f"{tmp_path}/scans/{name_of(5)}"
    told = write_audit(job, f"{place}#1", tmp_path / "audit.png")
    assert told == f"{place}#1: 1 read, 1 review, 0 empty; registration ok"
    drawn = cv2.imread(str(tmp_path / "audit.png"))
    assert drawn is not None and drawn.shape == (24, 32, 3)
    assert (drawn[:, :, 0] != drawn[:, :, 2]).any()  # colour over a grey page
    assert write_audit(job, place, tmp_path / "audit.png") == told
    with Ledger(job, write=True) as ledger:
        (page,) = [one for one in ledger.all_pages() if one.place == f"{place}#1"]
        ledger.correct(page.page.sha256, {"account": "1234"})
    write_audit(job, place, tmp_path / "corrected.png")
    assert (tmp_path / "corrected.png").read_bytes() != (tmp_path / "audit.png").read_bytes()


def test_an_audit_never_draws_on_another_page(job: Path, tmp_path: Path) -> None:
    place = tmp_path / "scans" / name_of(5)
    with pytest.raises(UsageError, match="it has no page absent"):
        write_audit(job, "absent.png#1", tmp_path / "audit.png")
    cv2.imwrite(str(place), picture(999))
    with pytest.raises(SourceError, match="shows something else than when it was read"):
        write_audit(job, f"{place}#1", tmp_path / "audit.png")
    place.unlink()
    with pytest.raises(SourceError, match="no such file"):
        write_audit(job, f"{place}#1", tmp_path / "audit.png")
    assert not (tmp_path / "audit.png").exists()
