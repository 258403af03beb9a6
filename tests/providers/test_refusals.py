"""What every provider type says when its vendor refuses or answers rubbish."""

import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from goclaw.core.errors import RateLimited, UpstreamFailed
from goclaw.providers.attempts import is_broken, may_pass
from goclaw.providers.client import ModelClient
from goclaw.providers.config import Timeouts
from goclaw.providers.registry import VENDORS
from goclaw.security.outbound import OutboundClient
from tests.providers.asking import Way, ask, both_ways, code_of, streamed
from tests.providers.conftest import KEY, OpenClient
from tests.upstream import ScriptedUpstream


@both_ways
@pytest.mark.parametrize(
    ("status", "code", "ours"),
    [
        (400, "upstream_refused", 502),
        (404, "upstream_refused", 502),
        (422, "upstream_refused", 502),
        (401, "upstream_credential", 502),
        (403, "upstream_credential", 502),
        (429, "upstream_rate_limited", 429),
        (500, "upstream_failed", 502),
        (503, "upstream_failed", 502),
        (529, "upstream_failed", 502),
    ],
)
async def test_refusals(
    client: ModelClient,
    upstream: ScriptedUpstream,
    way: Way,
    status: int,
    code: str,
    ours: int,
) -> None:
    upstream.fail(status, f"no, not with {KEY} or {KEY[:12]}")
    error = await code_of(way(client, ask()))
    assert (error.code, error.status, error.params["status"]) == (code, ours, status)
    assert KEY[:12] not in str(error)
    assert "mine" in str(error)
    if code in ("upstream_refused", "upstream_failed"):
        assert "no, not with ***" in str(error)


@both_ways
async def test_a_long_reason_is_cut(
    client: ModelClient, upstream: ScriptedUpstream, way: Way
) -> None:
    upstream.fail(400, "y" * 290 + KEY + "z" * 5000)
    error = await code_of(way(client, ask()))
    assert len(str(error.params["reason"])) == 300
    assert KEY[:8] not in str(error)


@both_ways
@pytest.mark.parametrize("fault", ["refusal", "silence", "not http", "refused host"])
async def test_no_key_in_a_traceback_with_local_variables(
    provider_type: str, open_type: OpenClient, upstream: ScriptedUpstream, way: Way, fault: str
) -> None:
    client = open_type(provider_type, Timeouts(first_token_s=0.2, total_s=0.2))
    match fault:
        case "refusal":
            upstream.fail(500)
        case "silence":
            upstream.silence()
        case "not http":
            upstream.garbage(headers=(("Bad", "x" * 20_000),))
        case "refused host":
            client._outbound = OutboundClient()  # type: ignore[attr-defined]
            await client._outbound.open()  # type: ignore[attr-defined]
            client._vendor = VENDORS["groq"]  # type: ignore[attr-defined]
    error = await code_of(way(client, ask()))
    if fault == "refused host":
        assert error.code == "host_refused"
        await client._outbound.close()  # type: ignore[attr-defined]
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert KEY not in "".join(shown.format())


async def test_retry_after(client: ModelClient, upstream: ScriptedUpstream) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    for given, low, high in (("7", 7, 7), ("0.2", 1, 1), (later, 28, 31), ("soon", 5, 5)):
        upstream.fail(429, retry_after=given)
        error = await code_of(client.complete(ask()))
        assert isinstance(error, RateLimited)
        assert error.retry_after_s is not None
        assert low <= error.retry_after_s <= high, given


@both_ways
@pytest.mark.parametrize(
    "raw", [b"<html>hello</html>", b"data: {oops}\n\n", b"null", b"[]", b'{"choices": 3}']
)
async def test_garbage(
    client: ModelClient, upstream: ScriptedUpstream, way: Way, raw: bytes
) -> None:
    upstream.garbage(raw)
    error = await code_of(way(client, ask()))
    assert (error.code, error.status) == ("upstream_garbage", 502)


async def test_an_empty_body(client: ModelClient, upstream: ScriptedUpstream) -> None:
    upstream.garbage(b"")
    assert (await code_of(client.complete(ask()))).code == "upstream_garbage"
    upstream.garbage(b"", content_type="text/event-stream")
    assert (await code_of(streamed(client, ask()))).code == "upstream_cut"


@both_ways
async def test_no_answer_at_all(client: ModelClient, upstream: ScriptedUpstream, way: Way) -> None:
    upstream.drop()
    assert (await code_of(way(client, ask()))).code == "upstream_unreachable"


async def test_nobody_listens(
    provider_type: str, open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    client = open_type(provider_type)
    await upstream.stop()
    error = await code_of(client.complete(ask()))
    assert isinstance(error, UpstreamFailed)
    assert error.code == "upstream_unreachable"


@both_ways
@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "This model's maximum context length is 8192 tokens, however you requested 9000."),
        (400, "prompt is too long: 210000 tokens > 200000 maximum"),
        (400, "The input token count (1048577) exceeds the maximum number of tokens allowed."),
        (413, "request_too_large"),
    ],
)
async def test_a_conversation_beyond_the_models_window(
    client: ModelClient, upstream: ScriptedUpstream, way: Way, status: int, message: str
) -> None:
    upstream.fail(status, message)
    error = await code_of(way(client, ask()))
    assert (error.code, error.status) == ("upstream_context_exceeded", 502)
    assert message[:20] in str(error)
    assert not may_pass(error)


@both_ways
@pytest.mark.parametrize(
    ("status", "message"),
    [
        (402, "Insufficient Balance"),
        (400, "Your credit balance is too low to access the API."),
        (429, "insufficient_quota"),
    ],
)
async def test_an_empty_account_is_no_rate_limit(
    client: ModelClient, upstream: ScriptedUpstream, way: Way, status: int, message: str
) -> None:
    upstream.fail(status, message)
    error = await code_of(way(client, ask()))
    assert (error.code, error.status, error.retry_after_s) == ("upstream_quota", 502, None)
    assert not may_pass(error)


PASSING = (429, 408, 500, 502, 503, 504, 529)


@both_ways
@pytest.mark.parametrize("status", [*PASSING, 400, 401, 403, 404, 409, 422, 501])
async def test_what_may_pass(
    client: ModelClient, upstream: ScriptedUpstream, way: Way, status: int
) -> None:
    upstream.fail(status)
    error = await code_of(way(client, ask()))
    assert may_pass(error) is (status in PASSING)
    assert is_broken(error) is (status == 408 or status >= 500)


async def test_an_overloaded_vendor_may_say_so_in_the_stream(
    client: ModelClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply("abcd", error_after=0, message="overloaded")
    error = await code_of(streamed(client, ask()))
    assert error.code == "upstream_failed"
    assert may_pass(error)
