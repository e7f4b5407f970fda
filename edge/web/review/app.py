"""The addresses of the review page: its files, what to look at, pictures of it, and what people say."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from edge.errors import EdgeError, JobError, SinkError, SourceError, UsageError
from edge.web.review.asked import asked_entry, asked_error, asked_name, asked_order, asked_sheet, asked_undo
from edge.web.review.cuts import Cuts
from edge.web.review.desk import MOST_ALIKE, MOST_VALUES, Desk
from edge.web.review.told import told_alike, told_entered, told_progress, told_seen, told_value
from edge.web.static import static_file

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]
_SCRIPTS = ("review.js", "one.js", "sheet.js", "sender.js")
_FILES = {"/": "review.html", "/review.css": "review.css"} | {f"/{name}": name for name in _SCRIPTS}
# Where a value lies on its page changes with the template, so the page asks with the number of the generation.
_KEEP = {"cache-control": "private, max-age=600"}


class Review:
    """A job's review: the desk and the pictures, each worked at by a thread of its own, one thing after the other."""

    def __init__(self, job: Path, *, twice: bool = False, max_error: float | None = None) -> None:
        """Open the job. Raises JobError if it is absent or broken."""
        self._desk_thread = ThreadPoolExecutor(1, "review's desk")
        self._cuts_thread = ThreadPoolExecutor(1, "review's pictures")
        self.job = job.resolve().name
        # By which a browser knows whose unsaved entries it holds.
        self.id = hashlib.sha256(os.fsencode(job.resolve())).hexdigest()[:16]
        self._desk = self._desk_thread.submit(lambda: Desk(job, twice=twice, max_error=max_error)).result()
        self._cuts = self._cuts_thread.submit(Cuts, job).result()

    def close(self) -> None:
        """End both; what was said is on disk already."""
        for thread, worked in ((self._desk_thread, self._desk), (self._cuts_thread, self._cuts)):
            thread.submit(worked.close)
            thread.shutdown()

    async def at_desk(self, work: Callable[[Desk], T]) -> T:
        """What the desk makes of it."""
        return await asyncio.get_running_loop().run_in_executor(self._desk_thread, work, self._desk)

    async def cut(self, work: Callable[[Cuts], T]) -> T:
        """What the pictures make of it."""
        return await asyncio.get_running_loop().run_in_executor(self._cuts_thread, work, self._cuts)


def review_app(review: Review) -> Starlette:
    """The ASGI application of a review; knows nothing of tokens and hosts, which are the guard's."""

    async def state(request: Request) -> Response:
        name = asked_name(request.query_params)

        def look(desk: Desk) -> Response:
            told = told_progress(desk.progress(name), desk.max_error, job=review.job, twice=desk.twice)
            return JSONResponse(told | {"id": review.id})

        return await review.at_desk(look)

    async def values(request: Request) -> Response:
        name, order = asked_name(request.query_params), asked_order(request.query_params)
        after = request.query_params.get("after", "")[:1000]
        most = _number(request, "most", MOST_VALUES)

        def look(desk: Desk) -> Response:
            found = desk.next_values(name, order, after=after, most=most)
            return JSONResponse([told_value(one, seen, blind=desk.twice) for one, seen in found])

        return await review.at_desk(look)

    async def value(request: Request) -> Response:
        page, field = request.query_params.get("page", ""), request.query_params.get("field", "")

        def look(desk: Desk) -> Response:
            seen = desk.value(page, field)
            if seen is None:
                return PlainTextResponse("the job has no such value\n", status_code=404)
            return JSONResponse(told_seen(seen, blind=desk.twice))

        return await review.at_desk(look)

    async def disputed(request: Request) -> Response:
        def look(desk: Desk) -> Response:
            return JSONResponse([told_seen(seen, blind=False) for seen in desk.disputed()])

        return await review.at_desk(look)

    async def alike(request: Request) -> Response:
        name, text = asked_name(request.query_params), request.query_params.get("text", "")
        most = _number(request, "most", MOST_ALIKE)
        found = await review.at_desk(
            lambda desk: [(one, desk.tile(one.leaf, one.position)) for one in desk.alike(name, text[:1], most)]
        )
        return JSONResponse(await review.cut(lambda cuts: told_alike(found, cuts)))

    async def crop(request: Request) -> Response:
        page, field = request.query_params.get("page", ""), request.query_params.get("field", "")
        return Response(await review.cut(lambda cuts: cuts.crop(page, field)), media_type="image/png", headers=_KEEP)

    async def around(request: Request) -> Response:
        page, field = request.query_params.get("page", ""), request.query_params.get("field", "")
        whole = request.query_params.get("whole") == "1"
        jpeg = await review.cut(lambda cuts: cuts.around(page, field, whole=whole))
        return Response(jpeg, media_type="image/jpeg", headers=_KEEP)

    async def enter(request: Request) -> Response:
        entry = asked_entry(await request.body())
        return JSONResponse(
            told_entered(await review.at_desk(lambda desk: desk.enter(entry.name, entry.said, entry.token)))
        )

    async def sheet(request: Request) -> Response:
        entry = asked_sheet(await request.body())
        return JSONResponse(
            told_entered(await review.at_desk(lambda desk: desk.enter(entry.name, entry.said, entry.token)))
        )

    async def undo(request: Request) -> Response:
        name, token = asked_undo(await request.body())

        def take_back(desk: Desk) -> Response:
            return JSONResponse([told_seen(seen, blind=desk.twice) for seen in desk.undo(name, token)])

        return await review.at_desk(take_back)

    async def choose(request: Request) -> Response:
        error = asked_error(await request.body())

        def note(desk: Desk) -> Response:
            desk.choose_error(error)
            return PlainTextResponse("ok\n")

        return await review.at_desk(note)

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    reads = {
        "/api/state": state,
        "/api/values": values,
        "/api/value": value,
        "/api/disputed": disputed,
        "/api/alike": alike,
        "/crop.png": crop,
        "/around.jpg": around,
        "/healthz": healthz,
    }
    writes = {"/api/enter": enter, "/api/sheet": sheet, "/api/undo": undo, "/api/error": choose}
    return Starlette(
        routes=[
            *(static_file(path, "edge.web.review.page", name) for path, name in _FILES.items()),
            static_file("/icon.svg", "edge.web.page", "icon.svg"),
            *_routes(reads, ("GET",)),
            *_routes(writes, ("POST",)),
        ],
        exception_handlers={EdgeError: _say_error},
    )


def _routes(endpoints: Mapping[str, Endpoint], methods: Sequence[str]) -> list[Route]:
    return [Route(path, endpoint, methods=list(methods)) for path, endpoint in endpoints.items()]


def _number(request: Request, name: str, most: int) -> int:
    text = request.query_params.get(name, "")
    return min(most, max(1, int(text))) if text.isascii() and text.isdigit() and len(text) < 6 else most


async def _say_error(request: Request, error: Exception) -> Response:
    """What a person is told: 400 for what they sent, 404 for what is not there, 503 for what may be there again."""
    status = (
        400 if isinstance(error, UsageError) else 404 if isinstance(error, SourceError) else 503
        if isinstance(error, JobError | SinkError) else 500
    )  # fmt: skip
    return JSONResponse({"error": str(error)}, status_code=status)
