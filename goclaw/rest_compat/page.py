"""The page: files built from `web/`, with any other path leading to the page itself."""

from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

FOLDER: Final = Path(__file__).resolve().parent.parent / "static"
BASE: Final = '<base href="/"'
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
"""The component kit writes style elements and attributes; scripts come from files alone."""
FOR_EVER: Final = "public, max-age=31536000, immutable"
MISSING: Final = "The page is not built. Run `make web` in a checkout, or install the wheel.\n"


class Page:
    """`prefix` is the path under which a proxy publishes the server."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._files = StaticFiles(directory=FOLDER, check_dir=False)
        self._index: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 4404})
            return
        response = await self._response(scope)
        response.headers["Content-Security-Policy"] = POLICY
        await response(scope, receive, send)

    async def _response(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("Method Not Allowed", 405, {"Allow": "GET, HEAD"})
        path = scope["path"].lstrip("/")
        if path in ("", "index.html"):
            return self._page()
        try:
            response = await self._files.get_response(path, scope)
        except HTTPException as error:
            if error.status_code == 404 and "." not in path.rpartition("/")[2]:
                return self._page()
            return PlainTextResponse("Not Found", error.status_code)
        if path.startswith("assets/"):
            response.headers["Cache-Control"] = FOR_EVER
        return response

    def _page(self) -> Response:
        if self._index is None:
            index = FOLDER / "index.html"
            if not index.exists():
                return PlainTextResponse(MISSING, 503)
            self._index = index.read_text().replace(BASE, f'<base href="{self._prefix}/"', 1)
        return HTMLResponse(self._index, headers={"Cache-Control": "no-cache"})
