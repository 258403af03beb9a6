"""Documents that are kept, and those that are kept no more."""

import gc

import pytest
from graphql import Token

from goclaw.schema import documents


def tokens() -> int:
    return sum(type(each) is Token for each in gc.get_objects())


def test_a_document_that_is_kept_no_more_is_gone_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without waiting for the garbage collector, which looks at what is old very seldom: its
    tokens, which knew their neighbours, made the worker grow by 3 KB with each new query.
    """
    gc.collect()
    before = tokens()
    with monkeypatch.context() as patch:
        patch.setattr(documents, "KEPT", documents.Kept())
        for number in range(20):
            documents.prepare(f"{{ me{number}: me {{ userId role }} agents {{ totalCount }} }}")
        gc.collect()
        assert tokens() > before
        gc.disable()
    try:
        assert tokens() == before
    finally:
        gc.enable()
