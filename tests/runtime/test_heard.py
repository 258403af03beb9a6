"""A follower hears everything once, whatever its sources repeat."""

from goclaw.runtime.heard import Heard


def test_what_follows_is_passed_on() -> None:
    heard = Heard()
    assert heard.take(0, "One ") == (0, "One ")
    assert heard.take(4, "two ") == (4, "two ")
    assert heard.text == "One two "


def test_what_was_heard_is_not_told_again() -> None:
    heard = Heard()
    heard.take(0, "One two ")
    assert heard.take(0, "One ") is None
    assert heard.take(4, "two three") == (8, "three")
    assert heard.take(0, "One two three") is None


def test_another_answer_begins_anew() -> None:
    heard = Heard()
    heard.take(0, "One two ")
    assert heard.take(0, "Eins ") == (0, "Eins ")
    assert heard.take(5, "zwei") == (5, "zwei")


def test_a_piece_after_a_hole_is_left_to_the_end() -> None:
    heard = Heard()
    heard.take(0, "One ")
    assert heard.take(8, "three") is None
    assert heard.take(0, "One two three") == (4, "two three")
