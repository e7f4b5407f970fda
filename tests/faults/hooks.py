"""A real HTTP server on loopback as the receiver of a webhook, that fails, stalls and refuses as it is told."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Post:
    path: str
    headers: dict[str, str]
    event: dict[str, Any]


@dataclass
class Hook:
    """answer: what is said to each post: a status, with headers if any, or a function that waits first.

    posts: all that came; taken: the ids of those that were answered with 2xx. certificates: a folder with those of
    make_certificates(), for TLS.
    """

    answer: Callable[[Post], int | tuple[int, dict[str, str]]] = field(default=lambda _: 204)
    posts: list[Post] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    certificates: Path | None = None

    def __post_init__(self) -> None:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                post = Post(self.path, dict(self.headers), json.loads(body))
                hook.posts.append(post)
                answer = hook.answer(post)
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                if not hook.ended.is_set():
                    if 200 <= status < 300:  # noted first: whoever has the answer may look at once
                        hook.taken.append(post.event["id"])
                    self.send_response(status)
                    for name, value in {"Content-Length": "0", **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing on stderr."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if self.certificates is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificates / "server.pem", self.certificates / "server.key")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http{'s' * bool(self.certificates)}://127.0.0.1:{self.server.server_port}/hook"

    def close(self) -> None:
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()
