"""Tokens, cookies and the names of this machine."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import pytest

from edge.errors import UsageError
from edge.web.access import Access
from edge.web.address import Address

ELSEWHERE = Address(host="0.0.0.0", port=8080)
TOKEN = "correct-horse-battery"


def test_loopback_needs_no_token_even_where_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKEDGE_TOKEN", TOKEN)
    for host in ("127.0.0.1", "::1", "localhost"):
        assert Access.open(Address(host=host, port=80)).token is None


def test_the_file_comes_before_the_environment_and_both_before_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INKEDGE_TOKEN", raising=False)
    made, again = Access.open(ELSEWHERE), Access.open(ELSEWHERE)
    assert made.made and len(made.token or "") >= 32 and made.token != again.token
    monkeypatch.setenv("INKEDGE_TOKEN", TOKEN)
    given = Access.open(ELSEWHERE)
    assert (given.token, given.made) == (TOKEN, False)
    file = tmp_path / "token"
    file.write_text("another-token-of-mine\n")
    assert Access.open(ELSEWHERE, token_file=file).token == "another-token-of-mine"


@pytest.mark.parametrize(
    "content", [b"", b"  \n", b"two words here", b"two\nlines", b"\xff\xfe", "zwölf".encode(), b"x" * 600]
)
def test_a_token_that_no_header_can_carry_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"--token-file .*openssl rand"):
        Access.open(ELSEWHERE, token_file=file)


def test_an_absent_token_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no-such: No such file"):
        Access.open(ELSEWHERE, token_file=tmp_path / "no-such")


def test_a_token_that_can_be_guessed_or_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "token"
    file.write_text("short")
    file.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        Access.open(ELSEWHERE, token_file=file)
    assert "chmod 640" in caplog.text and "can be guessed" in caplog.text
    assert "short" not in caplog.text


def test_only_the_token_and_its_cookie_are_allowed() -> None:
    access = Access(token=TOKEN)
    assert access.allows_token(TOKEN) and access.allows_cookie(access.cookie)
    for wrong in (None, "", TOKEN[:-1], TOKEN + "x", "tökén", "\udcff"):
        assert not access.allows_token(wrong) and not access.allows_cookie(wrong)
    assert not access.allows_cookie(TOKEN) and not access.allows_token(access.cookie)
    assert not Access().allows_token("") and not Access().allows_cookie(Access().cookie)


def test_a_token_is_not_shown_where_its_access_is() -> None:
    assert TOKEN not in repr(Access(token=TOKEN))


def test_the_cookie_outlives_a_restart_and_not_the_token() -> None:
    assert Access(token=TOKEN).cookie == Access(token=TOKEN).cookie != Access(token=TOKEN + "2").cookie


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8080", socket.gethostname()]
)
def test_the_machines_own_names_and_addresses_are_right(host: str) -> None:
    assert Access.open(Address(port=80)).allows_host(host)


@pytest.mark.parametrize(
    "host",
    [None, "", ":80", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.77", "0.0.0.0",
     "[::]", "224.0.0.1", "localhost:x", "local host", "localhost/", "user@localhost", "[localhost]", "2130706433",
     "127.1"],
)  # fmt: skip
def test_any_other_host_is_not(host: str | None) -> None:
    assert not Access.open(Address(port=80)).allows_host(host)


def test_names_can_be_allowed_but_not_all_of_them() -> None:
    access = Access.open(Address(port=80), allow_hosts=["Desk.example.org", "192.0.2.77"])
    assert access.allows_host("desk.example.org:8080") and access.allows_host("192.0.2.77")
    for wrong in ("*", "", "a b", "http://desk"):
        with pytest.raises(UsageError, match="--allow-host"):
            Access.open(Address(port=80), allow_hosts=[wrong])


def test_the_name_that_it_is_served_under_is_right() -> None:
    assert Access.open(Address(host="shelf.example", port=80)).allows_host("shelf.example:80")
