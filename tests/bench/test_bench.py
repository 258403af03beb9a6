"""The tools of the bench: what they count has to be right before it means anything."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest

from bench.answers import DELTAS, PACED, WORD, answer, deltas, ending, event
from bench.load import BadAnswer, request, run_load
from bench.report import Row, at_least, at_most, table
from bench.rounds import alternate
from bench.scene import chat_request
from bench.trips import Counter, Frontend
from bench.upstream import Vendor


@pytest.fixture
async def port() -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(Vendor, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_every_word_of_an_answer_is_counted(port: int) -> None:
    load = await run_load(
        port, chat_request("k"), calls=20, at_once=4, check=lambda each: each.words == DELTAS
    )
    assert len(load.answers) == 20
    assert all(each.first_word_s <= each.total_s for each in load.answers)


@pytest.mark.parametrize("paced", [False, True])
async def test_every_delta_of_a_stream_is_counted(port: int, paced: bool) -> None:
    data = chat_request("k", stream=True, manner=PACED if paced else b"")
    load = await run_load(port, data, calls=3, at_once=3, check=lambda each: each.words == DELTAS)
    shortest = min(each.total_s for each in load.answers)
    assert (shortest >= 0.9) is paced


async def test_a_wrong_answer_ends_the_load(port: int) -> None:
    with pytest.raises(BadAnswer):
        await run_load(port, chat_request("k"), calls=5, at_once=2, check=lambda _: False)


def test_the_word_stands_in_deltas_alone() -> None:
    assert answer().count(WORD) == DELTAS
    assert [each.count(WORD) for each in deltas()] == [1] * DELTAS
    assert not any(WORD in each for each in (*ending(), event({"role": "assistant"})))
    assert orjson.loads(answer())["usage"]["completion_tokens"] == DELTAS


def test_a_request_says_how_long_it_is() -> None:
    head, _, body = request("POST", "/x", {"a": "b"}, b"{}").partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /x HTTP/1.1"
    assert b"content-length: 2" in head
    assert body == b"{}"


async def test_variants_take_turns_and_the_first_round_is_thrown_away() -> None:
    order: list[str] = []

    def measure(name: str, *values: float):  # type: ignore[no-untyped-def]
        left = iter(values)

        async def once() -> dict[str, float]:
            order.append(name)
            return {"cpu": next(left)}

        return once

    samples = await alternate({"a": measure("a", 99, 4, 6, 8), "b": measure("b", 99, 2, 2, 2)}, 3)
    assert order == ["a", "b"] * 4
    assert samples.ratio("cpu", "a", "b") == 3
    assert samples.spread("cpu", "a", "b") == "2.00-4.00"


def test_a_row_says_whether_its_target_is_met() -> None:
    assert at_most("p", 1.5, 1.5).met is True
    assert at_most("p", 1.51, 1.5).met is False
    assert at_least("p", 5.9, 6).met is False
    text = table([at_most("p", 2, 1), Row("q", "7", "", None)])
    assert "NO" in text.splitlines()[2]
    assert "NO" not in text.splitlines()[3]


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_a_round_trip_is_a_query_or_a_sync(piece: int) -> None:
    startup = (8).to_bytes(4, "big") + b"\0\3\0\0"
    messages = [
        kind + (4 + len(body)).to_bytes(4, "big") + body
        for kind, body in ((b"B", b"QS"), (b"E", b"S"), (b"S", b""), (b"Q", b"select 1\0"))
    ]
    data = startup + b"".join(messages)
    counter = Counter()
    frontend = Frontend(counter)
    for start in range(0, len(data), piece):
        frontend.read(data[start : start + piece])
    assert counter.trips == 2
