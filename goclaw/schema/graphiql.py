"""The query editor for browsers: static files of our own, and nothing from elsewhere."""

from mimetypes import guess_type
from pathlib import Path
from typing import Final

from goclaw.core.errors import NotFound
from goclaw.schema.exchange import Exchange

FILES: Final = Path(__file__).parent.parent / "static" / "graphiql"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Vary": "Accept",
}
FOREVER: Final = "public, max-age=31536000, immutable"
MISSING: Final = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>GraphiQL</title>
<p>The query editor has not been built. Run <code>make web</code>.</p></html>"""


class GraphiQL:
    """`base` is put where the page says `/graphql/`, for a server behind a path prefix."""

    def __init__(self, prefix: str) -> None:
        self._base = f'"{prefix}/graphql/'.encode()

    async def answer(self, call: Exchange) -> None:
        index = FILES / "index.html"
        page = index.read_bytes() if index.is_file() else MISSING
        page = page.replace(b'"/graphql/', self._base)
        headers = {**HEADERS, "Cache-Control": "no-cache"}
        await call.respond(200, page, "text/html; charset=utf-8", headers)

    async def answer_file(self, call: Exchange, name: str) -> None:
        """A file beside the page. Raises NotFound."""
        path = (FILES / name).resolve()
        if not path.is_relative_to(FILES.resolve()) or not path.is_file():
            raise NotFound("not_found", path=call.scope["path"][:200])
        media_type = guess_type(path.name)[0] or "application/octet-stream"
        headers = {**HEADERS, "Cache-Control": FOREVER}
        await call.respond(200, path.read_bytes(), media_type, headers)
