"""A loopback server that is a model vendor on all three wires and does what a test scripts."""

import asyncio
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any, Self

import orjson
from aiohttp import web

from tests.upstream import anthropic, gemini, openai
from tests.upstream.playing import Received, play, refusal
from tests.upstream.script import Script

_BODY_LIMIT_BYTES = 64 << 20


class ScriptedUpstream:
    """`async with ScriptedUpstream() as up`, then queue what the next calls shall meet.

    Without a queued script the `default` one answers; `choose` may pick by request instead.
    """

    def __init__(self, port: int = 0, default: Script | None = None) -> None:
        self.requests: list[Received] = []
        self.hung_up = 0
        """Calls whose client went away before the answer was complete."""
        self.open = 0
        """Calls being answered."""
        self.record = True
        self.default = default or Script()
        self.choose: Callable[[Received], Script | None] | None = None
        self.model_names = ["scripted-small", "scripted-large"]
        self._queue: deque[Script] = deque()
        self._port = port
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Event()

    async def start(self) -> Self:
        app = web.Application(client_max_size=_BODY_LIMIT_BYTES)
        app.add_routes(
            [
                web.post("/v1/chat/completions", self._openai),
                web.post("/v1/messages", self._anthropic),
                web.post("/v1beta/models/{call}", self._gemini),
                web.get("/v1/models", self._models),
                web.get("/v1beta/models", self._models),
            ]
        )
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def host(self) -> str:
        """As `GOCLAW_ALLOWED_OUTBOUND_HOSTS` names it."""
        return f"127.0.0.1:{self._port}"

    def base_url(self, provider_type: str = "openai_compat") -> str:
        """The `api_base` a provider of the type needs."""
        return f"{self.url}/v1beta" if provider_type == "gemini_native" else f"{self.url}/v1"

    def reply(self, text: str | None = None, **script: Any) -> None:
        """The next call is answered; see `Script` for the rest."""
        if text is not None:
            script["text"] = text
        self._queue.append(Script(**script))

    def queue(self, *scripts: Script) -> None:
        """The next calls, one after the other."""
        self._queue.extend(scripts)

    def fail(self, status: int, message: str = "scripted failure", **script: Any) -> None:
        """The next call is refused; `retry_after` is the header's value."""
        retry_after = script.pop("retry_after", None)
        headers = (("Retry-After", str(retry_after)),) if retry_after is not None else ()
        self._queue.append(Script(status=status, message=message, headers=headers, **script))

    def garbage(self, raw: bytes = b"<html>not a model</html>", **script: Any) -> None:
        self._queue.append(Script(raw=raw, **script))

    def silence(self) -> None:
        self._queue.append(Script(silent=True))

    def beat(self, every: float) -> None:
        """The next call is answered with signs of life alone."""
        self._queue.append(Script(beats=every))

    def drop(self) -> None:
        self._queue.append(Script(drop=True))

    async def until(self, true: Callable[[], bool], timeout_s: float = 5) -> None:
        """Waits until something holds, looking again whenever a call begins or ends."""
        async with asyncio.timeout(timeout_s):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def until_hung_up(self, count: int = 1, timeout_s: float = 5) -> None:
        await self.until(lambda: self.hung_up >= count, timeout_s)

    async def _openai(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        stream = bool(body.get("stream"))
        return await self._serve(request, openai, body, stream, body.get("model") or "")

    async def _anthropic(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        stream = bool(body.get("stream"))
        return await self._serve(request, anthropic, body, stream, body.get("model") or "")

    async def _gemini(self, request: web.Request) -> web.StreamResponse:
        model, _, method = request.match_info["call"].partition(":")
        stream = method == "streamGenerateContent"
        return await self._serve(request, gemini, await _json(request), stream, model)

    async def _models(self, request: web.Request) -> web.StreamResponse:
        wire: ModuleType = openai
        if request.path.startswith("/v1beta"):
            wire = gemini
        elif "anthropic-version" in request.headers:
            wire = anthropic
        self._note(request, wire, None, False, "")
        script = self._queue.popleft() if self._queue else self.default
        if script.status != 200 or script.raw is not None:
            return refusal(wire, script)
        return web.json_response(wire.models(self.model_names))

    def _note(
        self, request: web.Request, wire: ModuleType, body: Any, stream: bool, model: str
    ) -> Received:
        name = wire.__name__.rpartition(".")[2]
        headers = {key.lower(): value for key, value in request.headers.items()}
        received = Received(name, request.path_qs, headers, body, stream, model)
        if self.record:
            self.requests.append(received)
        return received

    async def _serve(
        self, request: web.Request, wire: ModuleType, body: Any, stream: bool, model: str
    ) -> web.StreamResponse:
        received = self._note(request, wire, body, stream, model)
        script = self.choose(received) if self.choose else None
        if script is None:
            script = self._queue.popleft() if self._queue else self.default
        self.open += 1
        self._changed.set()
        try:
            return await play(request, wire, script, received)
        except (asyncio.CancelledError, ConnectionError):
            self.hung_up += 1
            raise
        finally:
            self.open -= 1
            self._changed.set()


async def _json(request: web.Request) -> Any:
    return orjson.loads(await request.read())
