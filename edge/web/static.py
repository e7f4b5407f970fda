"""Files of a page, from the package, as browsers get them."""

from __future__ import annotations

from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def static_file(path: str, package: str, name: str) -> Route:
    """The route of one file of a package; browsers may keep it as long as it is the same."""
    content = resources.files(package).joinpath(name).read_bytes()
    kind = _TYPES[name[name.rindex(".") :]]

    async def give(request: Request) -> Response:
        return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    return Route(path, give)
