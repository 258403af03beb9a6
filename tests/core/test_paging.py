from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goclaw.core.errors import InvalidInput
from goclaw.core.ids import uuid7
from goclaw.core.paging import LAST_ID, cursor_of, id_of, page_request


@given(st.uuids())
def test_a_cursor_leads_back_to_its_id(id: UUID) -> None:
    assert id_of(cursor_of(id), "after") == id


@given(st.text().filter(lambda text: len(text) < 20))
def test_any_other_text_is_refused_as_a_cursor(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        id_of(text, "after")
    assert (refused.value.code, refused.value.field) == ("invalid_cursor", "after")


@pytest.mark.parametrize("first", [0, -1, 101, 2**31])
def test_a_page_has_a_size(first: int) -> None:
    with pytest.raises(InvalidInput):
        page_request(first, None)


def test_the_first_page_begins_before_every_id() -> None:
    assert page_request(50, None).before == LAST_ID
    assert uuid4() < LAST_ID


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [uuid7() for _ in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
