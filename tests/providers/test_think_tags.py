"""Thinking that a model writes into its text is told from it, wherever the stream is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goclaw.providers.think_tags import ThinkTags, without_tags
from tests.providers.asking import Way, ask, both_ways
from tests.providers.conftest import OpenClient
from tests.upstream import ScriptedUpstream

ANSWERS = [
    ("<think>six times\nseven</think>\n\n42", "42", "six times\nseven"),
    ("\n <thinking>hm</thinking>42", "42", "hm"),
    ("<thought>a </th> b</thought> 42 </thought>", "42 </thought>", "a </th> b"),
    ("<think></think>42", "42", ""),
    ("<think>never ends </thi", "", "never ends </thi"),
    ("<thin air", "<thin air", ""),
    ("<", "<", ""),
    ("  indented", "  indented", ""),
    ("I <think>so</think>", "I <think>so</think>", ""),
    ("", "", ""),
]


@pytest.mark.parametrize(("written", "text", "thinking"), ANSWERS)
@given(st.data())
def test_cut_anywhere(written: str, text: str, thinking: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(written)), max_size=8)))
    bounds = [0, *cuts, len(written)]
    tags = ThinkTags()
    said = thought = ""
    for start, end in pairwise(bounds):
        piece = written[start:end]
        step = (piece, "") if tags.done else tags.feed(piece)
        said, thought = said + step[0], thought + step[1]
    rest = tags.end()
    assert (said + rest[0], thought + rest[1]) == (text, thinking)
    assert without_tags(written) == (text, thinking)


@given(st.text())
def test_text_without_tags_is_left_alone(text: str) -> None:
    if "<" not in text:
        assert without_tags(text) == (text, "")


@both_ways
@pytest.mark.parametrize("type", ["openai_compat", "ollama", "groq", "local"])
@pytest.mark.parametrize("deltas", [1, 3, 40])
async def test_an_answer_with_thinking_in_it(
    open_type: OpenClient, upstream: ScriptedUpstream, way: Way, type: str, deltas: int
) -> None:
    upstream.reply("<think>six times seven</think>\n\nIt is 42.", deltas=deltas)
    reply = await way(open_type(type), ask())
    assert (reply.content, reply.thinking) == ("It is 42.", "six times seven")
    assert [thought.text for thought in reply.thoughts] == ["six times seven"]
