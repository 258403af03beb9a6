"""What the wires share: sending, limits, reading, errors."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Coroutine
from functools import lru_cache
from operator import attrgetter
from time import monotonic
from typing import Any, ClassVar, Final, TypeVar

import aiohttp
import orjson
from multidict import CIMultiDict
from yarl import URL

from goclaw.core.errors import GatewayError, UpstreamFailed
from goclaw.core.provider_settings import Price
from goclaw.providers import failures
from goclaw.providers.checked import checked_delta, checked_models, checked_reply, parsed
from goclaw.providers.client import StreamReader
from goclaw.providers.config import (
    BETWEEN,
    CALL,
    FIRST,
    LOOKUP,
    Limit,
    ProviderConfig,
    Timeouts,
    Vendor,
    stream_limits,
    whole_limits,
)
from goclaw.providers.messages import (
    Delta,
    Json,
    ModelMessage,
    ModelRequest,
    ProviderModel,
    Reply,
)
from goclaw.providers.sse import LineTooLong, SseDecoder
from goclaw.providers.watch import Size, Watch
from goclaw.security.outbound import OutboundClient, read_limited

Answer = TypeVar("Answer")

_REPLY_LIMIT_BYTES: Final = 32 << 20
_STREAM_LIMIT_BYTES: Final = 256 << 20
"""Of a stream as it is sent, in which each token comes with some hundred bytes around it; what it
says is held to the limit of a whole reply.
"""
_ERROR_LIMIT_BYTES: Final = 1 << 16
# Some reasoning models refuse a lower limit.
_VERIFY_TOKENS: Final = 16
_NETWORK: Final = (aiohttp.ClientError, TimeoutError, ConnectionError)
_MALFORMED: Final = (ValueError, LookupError, TypeError, AttributeError)


class WireClient(ABC):
    """A `ModelClient`. Making one does no I/O; it holds no connection of its own."""

    fixed_headers: ClassVar[dict[str, str]] = {}
    models_path: ClassVar[str] = "/models"

    def __init__(
        self,
        config: ProviderConfig,
        vendor: Vendor,
        base_url: str,
        outbound: OutboundClient,
        timeouts: Timeouts,
    ) -> None:
        self.name = config.name
        self._config = config
        self._vendor = vendor
        self._base_url = base_url
        self._outbound = outbound
        self._timeouts = timeouts
        self._call_limit = Limit(CALL, timeouts.total_s)
        self._lookup_limit = Limit(LOOKUP, timeouts.lookup_s)
        first_limit = Limit(FIRST, timeouts.first_token_s)
        self._head_limit = min(first_limit, self._call_limit, key=attrgetter("seconds"))
        self._headers = CIMultiDict(self.fixed_headers)
        self._headers["Content-Type"] = "application/json"
        if key := config.api_key or vendor.bearer:
            bearer = vendor.key_header == "Authorization"
            self._headers[vendor.key_header] = f"Bearer {key}" if bearer else key

    @abstractmethod
    def _path(self, model: str, *, stream: bool) -> str: ...

    @abstractmethod
    def _body(self, request: ModelRequest, model: str, *, stream: bool) -> Json: ...

    @abstractmethod
    def _reply(self, answer: Json) -> Reply: ...

    @abstractmethod
    def _reader(self) -> StreamReader: ...

    @abstractmethod
    def _models(self, answer: Json) -> list[ProviderModel]: ...

    def complete(self, request: ModelRequest) -> Coroutine[Any, Any, Reply]:
        return self._complete(request, self._call_limit)

    async def verify(self, model: str) -> None:
        request = ModelRequest(model, [ModelMessage("user", "hi")], max_tokens=_VERIFY_TOKENS)
        await self._complete(request, self._lookup_limit)

    def price_of(self, model: str) -> Price | None:
        return self._config.settings.price_of(model)

    async def models(self) -> list[ProviderModel]:
        body = await self._ask("GET", self.models_path, None, self._lookup_limit)
        return self._understood(body, lambda answer: checked_models(self._models(answer)))

    async def _complete(self, request: ModelRequest, limit: Limit) -> Reply:
        path, data = self._call(request, stream=False)
        body = await self._ask("POST", path, data, limit)
        return self._understood(body, lambda answer: checked_reply(self._reply(answer)))

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[Delta], None]:
        limits = self._timeouts
        path, data = self._call(request, stream=True)
        began = monotonic()
        head_limits = stream_limits(limits.connect_s, self._head_limit.seconds)
        response = await self._send("POST", path, data, head_limits, self._head_limit)
        watch = Watch(response, limits, monotonic() - began)
        reader, decoder = self._reader(), SseDecoder()
        size = Size(_REPLY_LIMIT_BYTES, _STREAM_LIMIT_BYTES)
        try:
            while chunk := await watch.read():
                deltas, refusal = self._deltas(reader, decoder.feed(chunk))
                size.add(chunk, deltas)
                if deltas:
                    if not watch.spoken:
                        watch.speak()
                    yield deltas
                if refusal is not None:
                    raise refusal
                if reader.done:
                    return
            deltas, refusal = self._deltas(reader, decoder.end())
            if deltas:
                yield deltas
            if refusal is not None:
                raise refusal
            failure = self._cut(decoder)
        except (*_NETWORK, LineTooLong) as error:
            failure = self._stream_failure(error, watch)
        finally:
            watch.leave(clean=reader.done)
        if not reader.finished:
            raise failure

    def _stream_failure(self, error: Exception, watch: Watch) -> GatewayError:
        if isinstance(error, LineTooLong):
            return failures.garbage(self._config, "a line beyond 1 MiB")
        if watch.passed is not None:
            return failures.timed_out(self._config, watch.passed)
        return self._network_failure(error, Limit(BETWEEN, self._timeouts.between_s), begun=True)

    def _deltas(
        self, reader: StreamReader, events: list[bytes]
    ) -> tuple[list[Delta], GatewayError | None]:
        """What was said, and what went wrong after it."""
        deltas: list[Delta] = []
        try:
            for event in events:
                delta = reader.read(event)
                if delta is not None:
                    deltas.append(checked_delta(delta))
        except GatewayError as error:
            return deltas, error
        except _MALFORMED as error:
            return deltas, failures.garbage(self._config, _said(error))
        return deltas, None

    def _cut(self, decoder: SseDecoder) -> GatewayError:
        if decoder.fed and not decoder.heard:
            return failures.garbage(self._config, "not an event stream")
        return failures.cut(self._config)

    def _call(self, request: ModelRequest, *, stream: bool) -> tuple[str, bytes]:
        model = request.model or self._config.settings.default_model or self._vendor.default_model
        if not model:
            raise UpstreamFailed("provider_model_missing", name=self.name)
        body = self._body(request, model, stream=stream)
        if request.extra:
            body.update(request.extra)
        return self._path(model, stream=stream), orjson.dumps(body)

    async def _ask(self, method: str, path: str, data: bytes | None, limit: Limit) -> bytes:
        limits = whole_limits(self._timeouts.connect_s, limit.seconds)
        response = await self._send(method, path, data, limits, limit)
        try:
            return await read_limited(response, _REPLY_LIMIT_BYTES)
        except _NETWORK as error:
            failure = self._network_failure(error, limit, begun=True)
        finally:
            response.close()
        raise failure

    async def _send(
        self,
        method: str,
        path: str,
        data: bytes | None,
        limits: aiohttp.ClientTimeout,
        limit: Limit,
    ) -> aiohttp.ClientResponse:
        """The head of a success.

        Errors are raised anew, outside `except`: those below have the request headers, and in
        them the key, in their arguments or frames.
        """
        url = self._url(path)
        try:
            response = await self._outbound.request(
                method,
                url,
                headers=self._headers,
                data=data,
                limits=limits,
                embedded=self._vendor.embedded,
            )
            if response.status == 200:
                return response
            body = await _error_body(response)
            failure = failures.refused(self._config, response.status, response.headers, body)
        except UpstreamFailed as error:
            failure = error.with_traceback(None)
        except _NETWORK as error:
            failure = self._network_failure(error, limit, begun=False)
        raise failure

    def _url(self, path: str) -> URL:
        try:
            return _parsed(self._base_url + path)
        except ValueError:
            reason = "its address is not a URL"
        raise UpstreamFailed("upstream_unreachable", provider=self.name, reason=reason)

    def _understood(self, body: bytes, read: Callable[[Json], Answer]) -> Answer:
        try:
            answer = parsed(body)
            if error := answer.get("error"):
                raise failures.failed_inside(self._config, error)
            return read(answer)
        except _MALFORMED as error:
            raise failures.garbage(self._config, _said(error)) from None

    def _network_failure(self, error: Exception, limit: Limit, *, begun: bool) -> GatewayError:
        return failures.network_failure(
            self._config, error, self._timeouts.connect_s, limit, begun=begun
        )


@lru_cache(maxsize=1024)
def _parsed(url: str) -> URL:
    return URL(url)


def _said(error: Exception) -> str:
    if isinstance(error, orjson.JSONDecodeError):
        return "not JSON"
    return f"unexpected form ({type(error).__name__})"


async def _error_body(response: aiohttp.ClientResponse) -> bytes:
    """Empty where it does not come whole: the status is known and says enough."""
    try:
        return await read_limited(response, _ERROR_LIMIT_BYTES)
    except (*_NETWORK, UpstreamFailed):
        return b""
    finally:
        response.close()
