"""Which language is chosen, and that every text exists in each of them."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from string import Formatter
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, create_model
from pydantic_core.core_schema import ErrorType

from goclaw.core.errors import TEXTS, InvalidInput, Unavailable
from goclaw.core.locales import MAX_CHARS, Locale, locale_of, preferred
from goclaw.core.messages import MESSAGES
from goclaw.core.reasons import REASONS, Reason
from goclaw.core.reasons import TEXTS as REASON_TEXTS
from goclaw.models.parsing import parse_json, parse_shape

FOREIGN = [locale for locale in Locale if locale is not Locale.EN]
PYDANTIC = set(get_args(ErrorType))
PLAIN = create_model("PLAIN", name=(str, ...))
NAMES = Enum("NAMES", {"A": "a", "B": "b"})
REFUSED: dict[str, tuple[Any, Any]] = {
    "string_type": (str, 1),
    "string_too_short": (Annotated[str, Field(min_length=2)], "x"),
    "string_too_long": (Annotated[str, Field(max_length=2)], "xxx"),
    "string_pattern_mismatch": (Annotated[str, StringConstraints(pattern="^a$")], "b"),
    "string_unicode": (str, b"\xff"),
    "int_type": (int, []),
    "int_parsing": (int, "x"),
    "int_from_float": (int, 1.5),
    "int_parsing_size": (int, "9" * 5000),
    "float_type": (float, []),
    "float_parsing": (float, "x"),
    "finite_number": (Annotated[float, Field(allow_inf_nan=False)], float("inf")),
    "decimal_type": (Decimal, []),
    "decimal_parsing": (Decimal, "x"),
    "bool_type": (bool, []),
    "bool_parsing": (bool, "x"),
    "greater_than": (Annotated[int, Field(gt=5)], 5),
    "greater_than_equal": (Annotated[int, Field(ge=5)], 4),
    "less_than": (Annotated[int, Field(lt=5)], 5),
    "less_than_equal": (Annotated[int, Field(le=5)], 6),
    "multiple_of": (Annotated[int, Field(multiple_of=5)], 6),
    "list_type": (list[int], 1),
    "dict_type": (dict[str, int], 1),
    "model_type": (PLAIN, 1),
    "too_short": (Annotated[list[int], Field(min_length=2)], [1]),
    "too_long": (Annotated[list[int], Field(max_length=2)], [1, 2, 3]),
    "enum": (NAMES, "c"),
    "literal_error": (Literal["a", "b"], "c"),
    "none_required": (None, 1),
    "uuid_type": (UUID, 1),
    "uuid_parsing": (UUID, "x"),
    "datetime_type": (datetime, []),
    "datetime_parsing": (datetime, "x"),
    "datetime_from_date_parsing": (datetime, "x"),
    "timezone_aware": (AwareDatetime, "2026-01-01T00:00:00"),
    "date_type": (date, []),
    "date_parsing": (date, "x"),
    "date_from_datetime_parsing": (date, "2026-01-01Tx"),
}
"""A type and a value that pydantic refuses, by the type of its error."""
STRICT = ("datetime_parsing", "date_parsing")
"""What is only said of JSON."""

in_each_language = pytest.mark.parametrize("locale", FOREIGN)


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@in_each_language
def test_every_code_has_a_text(locale: Locale) -> None:
    missing = sorted(set(MESSAGES) - set(TEXTS[locale]))
    assert not missing, f"messages_{locale}.py: MESSAGES has no text for {', '.join(missing)}"
    unknown = sorted(set(TEXTS[locale]) - set(MESSAGES))
    assert not unknown, f"messages_{locale}.py: MESSAGES has texts for no code: {unknown}"


@in_each_language
def test_every_reason_has_a_text(locale: Locale) -> None:
    missing = sorted(set(REASONS) - set(REASON_TEXTS[locale]))
    assert not missing, f"messages_{locale}.py: REASONS has no text for {', '.join(missing)}"
    unknown = sorted(set(REASON_TEXTS[locale]) - set(REASONS) - set(PYDANTIC))
    assert not unknown, f"messages_{locale}.py: REASONS has texts for no reason: {unknown}"


@in_each_language
def test_the_placeholders_are_the_same_in_each_language(locale: Locale) -> None:
    for texts, english in ((TEXTS[locale], MESSAGES), (REASON_TEXTS[locale], REASONS)):
        for code in set(texts) & set(english):
            assert placeholders(texts[code]) == placeholders(english[code]), f"{locale}: {code}"


def refuse(kind: str, shape: type[BaseModel], value: object) -> None:
    if kind in STRICT:
        parse_json(shape, orjson.dumps({"it": value}))
    parse_shape(shape, {"it": value})


@in_each_language
def test_what_pydantic_refuses_is_told_in_each_language(locale: Locale) -> None:
    assert set(REASON_TEXTS[locale]) - set(REASONS) == set(REFUSED)
    for kind, (annotation, value) in REFUSED.items():
        shape = create_model("SHAPE", it=(annotation, ...))
        with pytest.raises(InvalidInput) as refused:
            refuse(kind, shape, value)
        reason = refused.value.params["reason"]
        assert isinstance(reason, Reason)
        assert reason.code == kind
        assert reason.text(locale) != str(reason)
        assert refused.value.text(locale).startswith("it")


def test_no_text_was_left_in_english() -> None:
    alike = {code for code, text in TEXTS[Locale.VI].items() if text == MESSAGES[code]}
    assert alike == {"invalid_input"}
    assert not {code for code, text in TEXTS[Locale.ZH].items() if text == MESSAGES[code]}


def test_a_code_without_a_text_is_told_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MESSAGES, "brand_new", "something {field}")
    assert InvalidInput("brand_new", field="x").text(Locale.ZH) == "something x"


def test_parts_of_a_text_are_told_in_its_language() -> None:
    error = InvalidInput("invalid_input", field="limit", reason=Reason("between", low=1, high=9))
    assert error.text(Locale.VI) == "limit: phải từ 1 đến 9"
    assert error.text(Locale.ZH, "first") == "first：必须在 1 到 9 之间"
    assert str(error) == error.text(Locale.EN) == "limit: must be 1 to 9"
    assert "3 giây" in Unavailable("database_unavailable", retry_after_s=3).text(Locale.VI)


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("vi", "vi"),
        ("VI-vn", "vi"),
        ("zh-Hant-TW", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB, vi;q=0.9", "en"),
        ("vi;q=0.8, zh;q=0.9", "zh"),
        ("vi;q=0.5,zh;q=0.5", "vi"),
        ("fr, de;q=0.9, vi;q=0.1", "vi"),
        ("vi ; q=0.300 , zh\t;\tQ=0.4", "zh"),
        (", ,vi,", "vi"),
        # refused and everything else
        ("vi;q=0, zh;q=0.1", "zh"),
        ("vi;q=0", None),
        ("vi;q=0.000, vi-VN", None),
        ("*", "en"),
        ("vi;q=0.5, *;q=0.8", "en"),
        ("vi;q=0.8, *;q=0.5", "vi"),
        ("en;q=0, *", "vi"),
        ("en;q=0, vi;q=0, *", "zh"),
        ("en;q=0, vi;q=0, zh;q=0, *", None),
        # malformed
        ("vi;q=2, zh;q=0.1", "zh"),
        ("vi;q=0.1234", None),
        ("vi;q=1.1", None),
        ("vi;q=-1", None),
        ("vi;q=", None),
        ("vi;level=1", None),
        ("vi_VN", None),
        ("zhongwen-zh", None),
        ("ví", None),
        ("vi zh", None),
        ("*-vi", None),
        ("abcdefghi, vi", "vi"),
        ("fr, de", None),
        ("v" * MAX_CHARS + ",vi", None),
        ("vi" + " " * MAX_CHARS, None),
    ],
)
def test_the_choice(header: str, locale: str | None) -> None:
    assert preferred(header) == locale
    assert locale_of(header) == (locale or "en")


def test_the_first_wish_that_can_be_met() -> None:
    assert locale_of(None, "", "fr", "vi;q=0", "zh", "vi") is Locale.ZH
    assert locale_of(None) is locale_of() is Locale.EN


TAGS = st.sampled_from(["en", "vi", "zh", "zh-TW", "vi-VN", "fr", "*"])
QUALITIES = st.integers(0, 1000)


@given(st.lists(st.tuples(TAGS, QUALITIES), max_size=6, unique_by=lambda pair: pair[0]))
def test_nothing_liked_better_is_passed_over(wishes: list[tuple[str, int]]) -> None:
    header = ", ".join(f"{tag};q={q / 1000:.3f}" for tag, q in wishes)
    sent = dict(wishes)

    def liking(locale: Locale) -> int:
        if sent.get(locale) == 0:
            return 0
        named = [q for tag, q in wishes if tag.partition("-")[0] == locale]
        return max([*named, 0 if locale in sent else sent.get("*", 0)])

    best = max(liking(locale) for locale in Locale)
    found = preferred(header)
    assert (found is None) == (best == 0)
    assert found is None or liking(found) == best


@given(st.text(max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    assert locale_of(text) in Locale
