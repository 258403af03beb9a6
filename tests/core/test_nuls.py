from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from goclaw.core.nuls import without_nuls

TEXTS = st.text(st.sampled_from('\0\\u0"a/\n'), max_size=12)
VALUES = st.recursive(
    TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)


def bare(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [bare(item) for item in value]
    return {bare(key): bare(item) for key, item in value.items()}


@given(VALUES)
def test_strings_lose_their_nuls_and_nothing_else(value: Any) -> None:
    assert orjson.loads(without_nuls(orjson.dumps(value))) == bare(value)


def test_json_inside_json_keeps_what_it_says() -> None:
    said = orjson.dumps({"arguments": orjson.dumps({"city": "Ro\0me"}).decode()})
    assert without_nuls(said) == said
