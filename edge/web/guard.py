"""The door before every page: the right host, the right token, no foreign page's requests, no endless ones."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from edge.web.access import Access

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 65_536
_BODY_S = 20.0  # a body that takes longer is not meant to arrive
_LONGEST_QUERY = 2048  # a token is 512 characters at most, and each may be written as three
_COOKIE_S = 365 * 24 * 3600
_READ_ONLY = ("GET", "HEAD", "OPTIONS")
_OPEN_TO_ALL = "/healthz"
_ASK = resources.files("edge.web.page").joinpath("token.html").read_bytes()
_POLICY = (
    "default-src 'none'; img-src 'self' data:; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_Headers = tuple[tuple[bytes, bytes], ...]


class Guard:
    """An ASGI application that lets only allowed requests through to app, and adds security headers to each answer.

    421 for a foreign Host, 401 without the token (as `Authorization: Bearer`, as the password of Basic, or the cookie
    that `/?token=…` gives), 403 for what another site's page sends, 413 for a body of more than largest_body bytes.
    `/healthz` needs no token.
    """

    def __init__(self, app: ASGIApp, access: Access, *, largest_body: int = LARGEST_BODY) -> None:
        self._app = app
        self._access = access
        self._largest_body = largest_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] != "http":
            return  # no page here speaks WebSocket
        headers = _by_name(scope)
        if not self._access.allows_host(headers.get("host")):
            await _say(send, 421, "this machine has no such name; --allow-host NAME adds one")
        elif self._brings_token(scope):
            await self._let_in(scope, headers, send)
        elif self._access.token is not None and scope["path"] != _OPEN_TO_ALL and not self._is_known(scope, headers):
            asked = scope["path"] == "/" and "text/html" in headers.get("accept", "")
            await (_ask(send) if asked else _say(send, 401, "a token is needed", _CHALLENGE))
        elif _is_foreign(scope["method"], headers):
            await _say(send, 403, "this came from another site's page")
        elif scope["method"] in _READ_ONLY:
            await self._app(scope, receive, _with_headers(send))
        else:
            await self._take_body(scope, headers, receive, send)

    async def _take_body(self, scope: Scope, headers: dict[str, str], receive: Receive, send: Send) -> None:
        body = await _whole_body(receive, headers, self._largest_body)
        if isinstance(body, HTTPStatus):
            await _say(send, body, body.phrase.lower())
        else:
            await self._app(scope, _replay(body, receive), _with_headers(send))

    def _is_known(self, scope: Scope, headers: dict[str, str]) -> bool:
        if self._access.allows_token(_brought(headers.get("authorization", ""))):
            return True
        return self._access.allows_cookie(_cookie(headers, _cookie_name(scope)))

    def _brings_token(self, scope: Scope) -> bool:
        """True if the token is in the address of the front page."""
        if scope["path"] != "/" or scope["method"] not in ("GET", "HEAD"):
            return False
        query = scope["query_string"].decode("latin-1")
        shown = parse_qs(query).get("token") if len(query) <= _LONGEST_QUERY else None
        return self._access.allows_token(shown[0] if shown else None)

    async def _let_in(self, scope: Scope, headers: dict[str, str], send: Send) -> None:
        """Give the cookie, and the address without the token."""
        cookie = f"{_cookie_name(scope)}={self._access.cookie}; Path=/; Max-Age={_COOKIE_S}; HttpOnly; SameSite=Strict"
        # Who follows a link of another site brings no strict cookie, a redirection's included: the new page asks again.
        foreign = headers.get("sec-fetch-site") == "cross-site"
        to = (b"refresh", b"0; url=./") if foreign else (b"location", b"./")
        await _say(send, 200 if foreign else 303, "come in", (to, (b"set-cookie", cookie.encode())))


_CHALLENGE: _Headers = ((b"www-authenticate", b'Bearer realm="inkedge"'),)


def _by_name(scope: Scope) -> dict[str, str]:
    """Headers by lower-case name; of several of one name the last, but Host, which the server takes only once."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _brought(authorization: str) -> str | None:
    """The token in the header: as Bearer, or as the password of Basic, which is all that many viewers can send."""
    scheme, _, shown = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return shown.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(shown, validate=True).decode().partition(":")[2]
    except ValueError:
        return None


def _cookie_name(scope: Scope) -> str:
    """Cookies do not know ports: two pages of one machine would take each other's."""
    return f"inkedge-{scope['server'][1]}"


def _cookie(headers: dict[str, str], name: str) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return found.value if found else None


def _is_foreign(method: str, headers: dict[str, str]) -> bool:
    """True if a browser says that a page of another origin sends this; opening an address is nobody's but the user's.

    Programs that are no browsers say neither, and no page can make a browser leave them out.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if method not in _READ_ONLY and origin is not None:
        return urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    opened = method in _READ_ONLY and headers.get("sec-fetch-mode") == "navigate"
    return site not in ("none", "same-origin") and not opened


async def _whole_body(receive: Receive, headers: dict[str, str], most: int) -> bytes | HTTPStatus:
    """The body of a request, or why it is not taken."""
    length = headers.get("content-length", "0")
    if not re.fullmatch(r"[0-9]{1,18}", length) or int(length) > most:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > most:
                    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        return HTTPStatus.REQUEST_TIMEOUT


def _replay(body: bytes, receive: Receive) -> Receive:
    """A receive that gives body, then whatever comes."""
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message


def _with_headers(send: Send) -> Send:
    """A send that adds the security headers an answer does not have."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", ()))
            names = {name.lower() for name, _ in own}
            message = {**message, "headers": own + [pair for pair in _HEADERS if pair[0] not in names]}
        await send(message)

    return sent


async def _say(send: Send, status: int, words: str, headers: _Headers = ()) -> None:
    await _answer(send, status, f"{words}\n".encode(), ((b"content-type", b"text/plain; charset=utf-8"), *headers))


async def _ask(send: Send) -> None:
    """401 for a person: a page with a field for the token; its style is allowed by its hash."""
    style = re.search(rb"<style>(.*?)</style>", _ASK, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[1] if style else b"").digest()).decode()
    policy = _POLICY.replace("style-src 'self'", f"style-src 'sha256-{digest}'").encode()
    kind = (b"content-type", b"text/html; charset=utf-8")
    await _answer(send, 401, _ASK, (kind, (b"content-security-policy", policy), *_CHALLENGE))


async def _answer(send: Send, status: int, body: bytes, headers: _Headers) -> None:
    sent = _with_headers(send)
    full = [*headers, (b"content-length", str(len(body)).encode())]
    await sent({"type": "http.response.start", "status": status, "headers": full})
    await sent({"type": "http.response.body", "body": body})
