"""A page served beside the work: uvicorn in a thread of its own, behind the guard, ended within a second."""

from __future__ import annotations

import asyncio
import logging
import socket
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import quote

from edge.closing import Closing
from edge.errors import UsageError
from edge.web.access import Access
from edge.web.address import Address, listen

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

_END_S = 1.0
_KEEP_ALIVE_S = 5


def need_web() -> None:
    """Raise UsageError unless the libraries of the extra `web` are there."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn", "h11", "anyio"):
            raise
        raise UsageError("a page in the browser needs starlette and uvicorn: pip install 'inkedge[web]'") from error


class Server(Closing):
    """A running server; address has the port that it got."""

    def __init__(self, address: Address, access: Access, uvicorn_server: uvicorn.Server, door: socket.socket) -> None:
        self.address = address
        self._access = access
        self._server = uvicorn_server
        self._door = door
        self._thread = Thread(target=self._serve, name=f"pages at {address}", daemon=True)

    @classmethod
    def start(cls, app: ASGIApp, address: Address, access: Access, *, largest_body: int | None = None) -> Server:
        """Serve app at address behind the guard; returns as soon as browsers can connect.

        largest_body: bytes of a POST, else guard.LARGEST_BODY. Raises SinkError if the address is taken or not of this
        machine, UsageError if the extra `web` is not installed.
        """
        need_web()
        import uvicorn

        from edge.web.connection import BoundedConnection
        from edge.web.guard import LARGEST_BODY, Guard

        door, bound = listen(address)
        # What it says of bad requests is for others to trigger, at any rate; ours to mend are errors.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        config = uvicorn.Config(
            Guard(app, access, largest_body=largest_body or LARGEST_BODY),
            loop="asyncio",
            http=BoundedConnection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            h11_max_incomplete_event_size=16_384,
        )
        server = cls(bound, access, uvicorn.Server(config), door)
        server._thread.start()
        return server

    @property
    def greeting(self) -> str:
        """The address for people, with the token if nobody but this program knows it."""
        host = _reachable_host() if self.address.everywhere else self.address.host
        page = f"http://{Address(host=host, port=self.address.port)}/"
        if self._access.made and self._access.token:
            return f"{page}?token={quote(self._access.token, safe='')}"
        return page

    def close(self) -> None:
        """End it: answers in work get a moment, streams are cut; as often as wanted."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_END_S)
            self._server.force_exit = True
            self._thread.join(_END_S)
        self._door.close()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._door]))


def _reachable_host() -> str:
    """An address by which other machines reach this one, as far as its routes tell; nothing is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(
                ("192.0.2.1", 9)
            )  # an address for examples: connecting a datagram socket only asks the routes
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
