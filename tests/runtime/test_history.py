"""How a posted conversation is told from another one, and what of it is kept."""

from base64 import b64encode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goclaw.providers.messages import ImagePart, ModelMessage, TextPart, Thought, ToolCall
from goclaw.runtime.history import (
    UNKNOWN,
    chain,
    from_row,
    link,
    repaired,
    split_at_last_answer,
    to_row,
)

roles = st.sampled_from(["system", "user", "assistant", "tool"])
messages = st.builds(
    ModelMessage,
    roles,
    st.text(max_size=20),
    tool_calls=st.lists(st.builds(ToolCall, st.text(), st.text(), st.text()), max_size=2),
)
conversations = st.lists(messages, max_size=6)


@given(conversations, conversations)
def test_only_the_same_conversation_has_the_same_hash(
    one: list[ModelMessage], other: list[ModelMessage]
) -> None:
    assert (chain(one) == chain(other)) == (one == other)


@given(conversations, messages)
def test_a_conversation_is_hashed_step_by_step(
    before: list[ModelMessage], last: ModelMessage
) -> None:
    assert chain([*before, last]) == link(chain(before), last)


@given(conversations)
def test_split_keeps_all_and_leaves_no_answer_behind(conversation: list[ModelMessage]) -> None:
    kept, new = split_at_last_answer(conversation)
    assert [*kept, *new] == conversation
    assert all(message.role != "assistant" for message in new)
    assert not kept or kept[-1].role == "assistant"


def test_another_image_is_another_conversation() -> None:
    first = ModelMessage("user", [TextPart("look"), ImagePart("data:image/png;base64,AAAA")])
    second = ModelMessage("user", [TextPart("look"), ImagePart("data:image/png;base64,BBBB")])
    assert chain([first]) != chain([second])


def test_an_image_is_kept_as_hash_and_size() -> None:
    data = b64encode(b"x" * 300).decode()
    message = ModelMessage("user", [TextPart("look"), ImagePart(f"data:image/png;base64,{data}")])
    row = to_row(message, 1)
    assert row["content"] == "look"
    assert row["parts"][0] == {"type": "text", "text": "look"}
    image = row["parts"][1]
    assert (image["media_type"], image["size_bytes"]) == ("image/png", 300)
    assert data not in str(row)


class StoredRow:
    thoughts = None
    is_error = False

    def __init__(self, **values: object) -> None:
        self.__dict__.update(values)


SEALED = {"google": {"thought_signature": "c2VhbGVk"}}


@pytest.mark.parametrize(
    "message",
    [
        ModelMessage("assistant", "calling", tool_calls=[ToolCall("1", "f", '{"a":1}')]),
        ModelMessage(
            "assistant",
            "calling",
            tool_calls=[ToolCall("1", "f", "{}", SEALED), ToolCall("2", "g", "{}")],
            thoughts=[
                Thought("anthropic", "hm", "c2VhbGVk"),
                Thought("anthropic", redacted="b3BhcXVl", chars=4, calls=1),
            ],
        ),
        ModelMessage("tool", "no such city", tool_call_id="1", is_error=True),
    ],
)
def test_a_stored_message_comes_back_as_it_was(message: ModelMessage) -> None:
    row = orjson.loads(orjson.dumps(to_row(message, 1)))
    assert from_row(StoredRow(**row)) == message


def asked(*ids: str) -> ModelMessage:
    return ModelMessage("assistant", tool_calls=[ToolCall(id, "look", "{}") for id in ids])


def result(id: str, text: str = "seen") -> ModelMessage:
    return ModelMessage("tool", text, tool_call_id=id)


def test_every_call_is_followed_by_its_result() -> None:
    user = ModelMessage("user", "Well?")
    told = repaired([result("gone"), asked("a", "b"), result("b"), user, result("a"), asked("c")])
    assert [(m.role, m.tool_call_id, m.is_error) for m in told] == [
        ("assistant", None, False),
        ("tool", "a", False),
        ("tool", "b", False),
        ("user", None, False),
        ("assistant", None, False),
        ("tool", "c", True),
    ]
    assert told[-1].text == UNKNOWN


@given(
    st.lists(
        st.one_of(
            st.lists(st.sampled_from("abcd"), max_size=3, unique=True).map(lambda ids: asked(*ids)),
            st.sampled_from("abcd").map(result),
            st.just(ModelMessage("user", "Well?")),
        ),
        max_size=12,
    )
)
def test_what_was_repaired_needs_no_repair(conversation: list[ModelMessage]) -> None:
    told = repaired(conversation)
    assert repaired(told) == told
    assert [m for m in told if m.role != "tool"] == [m for m in conversation if m.role != "tool"]
