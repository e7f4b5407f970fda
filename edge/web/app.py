"""The addresses of the preview: page, streams, events, health and metrics."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from edge.sinks.base import Event
from edge.sinks.lines import json_line
from edge.web.metrics import CONTENT_TYPE
from edge.web.pictures import Picture
from edge.web.preview import Preview
from edge.web.product import Product
from edge.web.static import static_file
from edge.web.streams import Streams

_BEAT_S = 10.0  # how often a silent stream shows that it lives; what is dead is noticed by writing to it
_SNAPSHOT_S = 10.0  # a busy machine may take a while to draw it
_FIRST_EVENTS = 50  # of the past, on a page
_EVENTS = "text/event-stream"
_BOUNDARY = "inkedge-picture"
_PAGE = {"/": "preview.html", "/preview.css": "preview.css", "/preview.js": "preview.js", "/icon.svg": "icon.svg"}


def preview_app(preview: Preview) -> Starlette:
    """The ASGI application of a preview; knows nothing of tokens and hosts, which are the guard's."""

    async def stream(request: Request) -> Response:
        view = preview.pictures.get(request.query_params.get("view", "picture"))
        if view is None:
            return _unknown_view()
        return Streams(_parts(view), media_type=f"multipart/x-mixed-replace; boundary={_BOUNDARY}")

    async def snapshot(request: Request) -> Response:
        view = preview.pictures.get(request.query_params.get("view", "picture"))
        if view is None:
            return _unknown_view()
        picture = await _next(view) if preview.begun else None
        if picture is None or picture.silent_s is not None:
            return PlainTextResponse("no picture\n", status_code=503, headers={"retry-after": "5"})
        return Response(picture.jpeg, media_type="image/jpeg")

    async def readings(request: Request) -> Response:
        return Streams(_readings(preview, request), media_type=_EVENTS)

    async def live(request: Request) -> Response:
        # All that the page shows but the picture in one stream: a browser opens only six at a time to one place.
        pulses, insights = _named("pulse", preview.pulses), _named("insight", preview.insights)
        return Streams(_readings(preview, request, last=_FIRST_EVENTS), pulses, insights, media_type=_EVENTS)

    async def healthz(request: Request) -> Response:
        good = preview.healthy
        return PlainTextResponse("ok\n" if good else "not ok\n", status_code=200 if good else 503)

    async def metrics(request: Request) -> Response:
        return Response(preview.metrics(), headers={"content-type": CONTENT_TYPE})

    routes = [
        Route("/stream.mjpg", stream),
        Route("/snapshot.jpg", snapshot),
        Route("/readings", readings),
        Route("/live", live),
        Route("/healthz", healthz),
        Route("/metrics", metrics),
        *(static_file(path, "edge.web.page", name) for path, name in _PAGE.items()),
    ]
    return Starlette(routes=routes)


def _unknown_view() -> Response:
    return PlainTextResponse("view: picture or ink\n", status_code=404)


async def _next(view: Product[Picture]) -> Picture | None:
    async with aclosing(view.follow(_SNAPSHOT_S)) as pictures:
        return await anext(pictures, None)


async def _parts(view: Product[Picture]) -> AsyncGenerator[bytes, None]:
    """Pictures as parts; the boundary comes right behind each, for browsers show a part once they see its end."""
    yield f"--{_BOUNDARY}\r\n".encode()
    async with aclosing(view.follow(_BEAT_S)) as pictures:
        async for picture in pictures:
            if picture is not None:
                head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\n\r\n"
                yield b"".join((head.encode(), picture.jpeg, f"\r\n--{_BOUNDARY}\r\n".encode()))


async def _readings(preview: Preview, request: Request, last: int = 0) -> AsyncGenerator[bytes, None]:
    """Each event as `edge run --format jsonl` prints it, its id beside it; who was cut off goes on where he was."""
    yield b": events of edge run\n\n"
    after = request.headers.get("last-event-id")
    async with aclosing(preview.recent.follow(_BEAT_S, after=after, last=last)) as batches:
        async for events in batches:
            yield "".join(map(_message, events)).encode() or b": beat\n\n"


def _message(event: Event) -> str:
    return f"id: {event.id}\ndata: {json_line(event)}\n"


async def _named(name: str, product: Product[str]) -> AsyncGenerator[bytes, None]:
    """What a product makes, as events of this name."""
    async with aclosing(product.follow(_BEAT_S)) as contents:
        async for content in contents:
            if content is not None:
                yield f"event: {name}\ndata: {content}\n\n".encode()
