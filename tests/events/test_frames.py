from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goclaw.core.ids import uuid7
from goclaw.events.frames import Message, Reference, pack, unpack

MESSAGES = st.lists(st.builds(Message, st.text(max_size=20), st.text(max_size=200)), max_size=30)


@given(MESSAGES, st.integers(60, 400))
def test_messages_come_out_in_order(messages: list[Message], limit: int) -> None:
    kept: dict[UUID, str] = {}

    def keep(text: str) -> UUID:
        id = uuid7()
        kept[id] = text
        return id

    frames = pack(messages, limit + 100, keep)
    found = [item for frame in frames for item in unpack(frame)]
    assert all(len(frame.encode()) <= limit + 100 for frame in frames)
    assert len(set(frames)) == len(frames)
    texts = [kept[item.id] if isinstance(item, Reference) else item.text for item in found]
    assert list(zip((item.channel for item in found), texts, strict=True)) == messages


def test_without_a_keeper_a_long_text_goes_alone() -> None:
    messages = [Message("a", "x"), Message("a", "y" * 500), Message("a", "z")]
    frames = pack(messages, 100)
    assert [list(unpack(frame)) for frame in frames] == [[message] for message in messages]


@pytest.mark.parametrize(
    "frame",
    ["", "0;x", "0;1,2", "0;1,5:ab", "0;1,-1:ab", "0;-5,1:ab", "0;1,@:anothing", "0;9,1:ab"],
)
def test_garbage_is_refused(frame: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(unpack(frame))
