import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goclaw.providers.sse import LINE_LIMIT_BYTES, LineTooLong, SseDecoder

PAYLOADS = st.lists(
    st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1), max_size=6
)


def decode(stream: bytes, cuts: list[int]) -> list[str]:
    decoder, out, start = SseDecoder(), [], 0
    for cut in [*sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]:
        out += decoder.feed(stream[start:cut])
        start = max(start, cut)
    return [data.strip(b" \r").decode() for data in [*out, *decoder.end()]]


@settings(max_examples=300)
@given(PAYLOADS, st.lists(st.integers(0, 10_000), max_size=20), st.sampled_from(["\n", "\r\n"]))
def test_any_cut_gives_the_same_events(payloads: list[str], cuts: list[int], end: str) -> None:
    text = "".join(f": note{end}event: x{end}data: {data}{end}{end}" for data in payloads)
    assert decode(text.encode(), cuts) == [data.strip(" \r") for data in payloads]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data:x\n\n", [b"x"]),
        (b"data: x\r\n\r\n", [b" x\r"]),
        (b"data: {\ndata: }\n\n", [b" {\n }"]),
        (b": ping\n\n: ping\n\n", []),
        (b"event: a\nid: 1\nretry: 3\ndata: x\n\n", [b" x"]),
        (b"\n\n\ndata: x\n\n\n\n", [b" x"]),
        (b"data: a\n\ndata: b\n\ndata: c", [b" a", b" b"]),
        (b"database: x\n\n", []),
    ],
)
def test_forms(stream: bytes, events: list[bytes]) -> None:
    assert SseDecoder().feed(stream) == events


@pytest.mark.parametrize(
    "before", [b"data: a\n", b"data: a", b"data: a\r\n", b"event: x\n", b"dat"]
)
@pytest.mark.parametrize("chunk", [b"data: b\n\n", b"\ndata: b\n\n", b"data:\n\n", b"data: b\r\n"])
def test_what_came_before_counts(before: bytes, chunk: bytes) -> None:
    cut, whole = SseDecoder(), SseDecoder()
    one_by_one = [
        event for byte in before + chunk for event in whole.feed(bytes([byte]))
    ] + whole.end()
    assert cut.feed(before) + cut.feed(chunk) + cut.end() == one_by_one
    assert cut.heard == whole.heard


def test_a_last_event_without_a_blank_line() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: a") == []
    assert decoder.end() == [b" a"]
    assert decoder.end() == []


def test_endless_lines_are_refused() -> None:
    decoder = SseDecoder()
    for _ in range(LINE_LIMIT_BYTES // 65536):
        decoder.feed(b"x" * 65536)
    with pytest.raises(LineTooLong):
        decoder.feed(b"x")
    with pytest.raises(LineTooLong):
        SseDecoder().feed(b"data: " + b"x" * LINE_LIMIT_BYTES + b"\n\n")
    with pytest.raises(LineTooLong):
        SseDecoder().feed(b"data: y\n" * (LINE_LIMIT_BYTES // 3) + b"\n")
