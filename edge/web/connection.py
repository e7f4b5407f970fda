"""Connections that end when nobody is at the other end: HTTP of uvicorn with bounds on number, waiting and buffers."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

MOST = 64
_LOOK_S = 1.0
_REQUEST_S = 5.0  # for the head of a request, from its connection's opening or last answer; nobody types one by hand
_STUCK_S = 10.0  # whoever takes less than _LEAST_BYTES of what waits in this time is stuck
_END_S = 0.3
_LEAST_BYTES = 65_536
_FULL = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 5\r\nconnection: close\r\n\r\n"


class BoundedConnection(H11Protocol):
    """One connection. At most MOST at a time: a new one takes the place of the one that has said nothing for longest.

    Ended when the head of a request is not there within 5 s, and when its other end takes less than 64 kB in 10 s of
    what waits for it.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.access_log = False  # addresses may hold the token
        self._look: asyncio.TimerHandle | None = None
        self._quiet_since: float | None = None
        self._full_since: float | None = None
        self._unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse it if all others are at work."""
        super().connection_made(transport)
        if not self._has_room():
            transport.write(_FULL)
            transport.close()
        self._quiet_since = self.loop.time()
        self._look = self.loop.call_later(_LOOK_S, self._judge)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server ends: an answer in work gets a moment, a stream is cut."""
        super().shutdown()
        self.loop.call_later(_END_S, self.transport.abort)

    def resume_writing(self) -> None:
        """What waited is nearly all gone: not stuck, however slow."""
        self._full_since = None
        super().resume_writing()

    @property
    def _waits(self) -> bool:
        """True while no request is in work: its head is not whole, or the last one is answered."""
        return self.cycle is None or self.cycle.response_complete

    def _has_room(self) -> bool:
        """True if it may stay: there are few enough, or one that waits has been ended in its favour."""
        others = [
            other
            for other in self.connections
            if isinstance(other, BoundedConnection) and other is not self and not other.transport.is_closing()
        ]
        if len(others) < MOST:
            return True
        waiting = [other for other in others if other._waits]
        if waiting:
            min(waiting, key=lambda other: other._quiet_since or math.inf).transport.abort()
        return bool(waiting)

    def _judge(self) -> None:
        """Every second: end the connection if it has waited or been stuck for too long."""
        now = self.loop.time()
        if not self._waits:
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = now
        unsent = self.transport.get_write_buffer_size()
        if not unsent:
            self._full_since = None
        elif self._full_since is None or unsent <= self._unsent - _LEAST_BYTES:
            self._full_since, self._unsent = now, unsent
        late = not unsent and self._quiet_since is not None and now - self._quiet_since > _REQUEST_S
        if late or (self._full_since is not None and now - self._full_since > _STUCK_S):
            self.transport.abort()
        else:
            self._look = self.loop.call_later(_LOOK_S, self._judge)
