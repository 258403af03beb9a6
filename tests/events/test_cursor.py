from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goclaw.core.errors import InvalidInput
from goclaw.core.ids import uuid7
from goclaw.events.cursor import Cursor, decode_cursor, encode_cursor


@given(st.integers(0, 2**63 - 1), st.uuids())
def test_text_and_back(xid: int, id: UUID) -> None:
    assert decode_cursor(encode_cursor(Cursor(xid, id))) == (xid, id)


@given(st.text(max_size=40))
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        decode_cursor(text)
    assert (refusal.value.code, refusal.value.field) == ("invalid_cursor", "after")


def test_near_misses_are_refused() -> None:
    good = encode_cursor(Cursor(7, uuid7()))
    for text in (good[:-1], good + "A", good + "====", f" {good}", "/" + good[1:], "_" * 32):
        with pytest.raises(InvalidInput):
            decode_cursor(text)
