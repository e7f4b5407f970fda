"""An answer that goes on until the browser goes: pictures or events, from one source or several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class Streams(Response):
    """Pours chunks as its sources give them, each in its own time, until one of them ends or the other end is gone.

    A source is asked for its next chunk when the last one is on its way: who reads slowly holds up nobody else.
    """

    def __init__(self, *sources: AsyncGenerator[bytes, None], media_type: str) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self._sources = sources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; returns when the other end is gone, raises what a source raises."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body"})
            return
        tasks = [asyncio.ensure_future(_pour(source, send)) for source in self._sources]
        tasks.append(asyncio.ensure_future(_gone(receive)))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()
        await send({"type": "http.response.body"})


async def _pour(source: AsyncGenerator[bytes, None], send: Send) -> None:
    async with aclosing(source):
        async for chunk in source:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await asyncio.sleep(0)  # to a connection that is gone, sending takes no time: others must have their turn


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
