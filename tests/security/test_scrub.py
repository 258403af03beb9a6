"""The scrubber: what the server holds, texts within texts, fields, and its own properties."""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from random import Random
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goclaw.security.scrub import TOO_DEEP, Scrubber
from goclaw.security.secrets_held import (
    MAX_LEARNED,
    REPLACEMENT,
    Secrets,
    is_tellable,
    passwords_in,
)
from tests.security.corpus.kinds import CONTEXTS, KEYS

SECRET = "hunter2-of-the-gateway/é\"'"
formats = Scrubber()

Encode = Callable[[str, str, str], str]
"""A secret between two texts, as it would leave."""

ENCODINGS: dict[str, Encode] = {
    "plain": lambda a, x, b: a + x + b,
    "base64": lambda a, x, b: base64.b64encode((a + x + b).encode()).decode(),
    "base64url": lambda a, x, b: base64.urlsafe_b64encode((a + x + b).encode()).decode(),
    "url": lambda a, x, b: quote(a + x + b, safe=""),
    "path": lambda a, x, b: quote(a + x + b),
    "form": lambda a, x, b: quote_plus(a + x + b),
    "lower url": lambda a, x, b: re.sub(
        "%..", lambda found: found[0].lower(), quote(a + x + b, safe="")
    ),
    "twice url": lambda a, x, b: quote(quote(a + x + b, safe=""), safe=""),
    "hex": lambda a, x, b: (a + x + b).encode().hex(),
    "upper hex": lambda a, x, b: (a + x + b).encode().hex().upper(),
    "json": lambda a, x, b: json.dumps(a + x + b),
    "repr": lambda a, x, b: repr(a + x + b),
}
TELLABLE = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=8, max_size=60
).filter(lambda text: is_tellable(text) and not text[0].isspace() and not text[-1].isspace())
TEXTS = st.text(st.characters(codec="utf-8"), max_size=80)
TRICKY = st.lists(
    st.sampled_from(
        [
            *(
                "password",
                "token",
                "secret",
                "=",
                ":",
                '"',
                "'",
                "\\",
                "\\\\",
                " ",
                "\n",
                ",",
                "a1",
            ),
            *("://", "@", "Bearer ", "Authorization", "cookie", "[REDACTED]", "[", "]", "REDACTED"),
            *("hunter2", "x" * 20, "sk-", "-proj-", "eyJ", ".", "_KEY=", "--", "<", ">", "Basic "),
        ]
    ),
    max_size=16,
).map("".join)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_weakness_33_held_secrets_are_found_in_every_encoding(encoding: str, before: str) -> None:
    holder = Scrubber(Secrets([SECRET]))
    text = ENCODINGS[encoding](before, SECRET, "xyz")
    assert REPLACEMENT not in text
    assert REPLACEMENT in holder.scrub(text)
    assert REPLACEMENT not in Scrubber(Secrets(["another-secret-1"])).scrub(text)


@given(TELLABLE, TEXTS, TEXTS, st.sampled_from(sorted(ENCODINGS)))
def test_held_secrets_are_found_anywhere(secret: str, before: str, after: str, how: str) -> None:
    scrubbed = Scrubber(Secrets([secret])).scrub(ENCODINGS[how](before, secret, after))
    assert REPLACEMENT in scrubbed
    if how == "plain":
        assert secret not in scrubbed.replace(REPLACEMENT, "\0")


@given(TELLABLE, TELLABLE)
def test_of_two_secrets_that_overlap_nothing_is_left(one: str, other: str) -> None:
    holder = Scrubber(Secrets([one, other, one + other]))
    assert holder.scrub(one + other) == REPLACEMENT


@given(st.sampled_from(sorted(KEYS)), st.sampled_from(CONTEXTS), TEXTS, TEXTS, st.randoms())
def test_known_keys_are_found_at_any_place(
    kind: str, context: str, before: str, after: str, rnd: Random
) -> None:
    key = KEYS[kind](Random(rnd.randrange(10**6)))
    text = f"{before} {context.format(key)} {after}"
    assert key not in formats.scrub(text)


@given(TEXTS | TRICKY)
@example('password="[REDACTED]x"')
@example("password=[REDACTED]token=abc12345")
def test_what_is_scrubbed_stays(text: str) -> None:
    once = formats.scrub(text)
    assert formats.scrub(once) == once


@given(TRICKY, st.sampled_from(["hunter2x", "REDACTED1", "[REDACTED", "token=", "x" * 20]))
def test_what_is_scrubbed_stays_with_held_secrets(text: str, secret: str) -> None:
    holder = Scrubber(Secrets([secret]))
    once = holder.scrub(text)
    assert holder.scrub(once) == once


@given(TEXTS | TRICKY)
def test_a_text_grows_by_no_more_than_its_replacements(text: str) -> None:
    most = len(text) + len(REPLACEMENT) * (len(text) + 1)
    assert len(formats.scrub(text)) <= most


@given(st.dictionaries(st.text(max_size=10), TEXTS | st.integers() | st.none(), max_size=5))
@example({"PWD": 0})
@example({"password": 12345678, "token": -1.5e300})
def test_json_stays_json(value: dict[str, Any]) -> None:
    assert isinstance(json.loads(formats.scrub(json.dumps(value))), dict)
    nested = json.loads(formats.scrub(json.dumps({"said": json.dumps(value)})))["said"]
    assert isinstance(json.loads(nested), dict)


def test_what_a_replacement_brings_together_is_looked_at_again() -> None:
    """The slash within the held secret hid that a password stands around it."""
    holder = Scrubber(Secrets(["se/cret-1"]))
    assert holder.scrub("https://ada:mine-se/cret-1@h/x") == f"https://ada:{REPLACEMENT}@h/x"


@given(st.text(st.sampled_from("ab1\"\\' /é\n"), min_size=1).filter(lambda text: "1" in text))
def test_quotes_and_backslashes_of_a_value_do_not_end_it(value: str) -> None:
    """Also in JSON that was written into JSON; nothing before or behind goes with it."""
    rest = {"after": "stays"}
    text = json.dumps({"before": 1, "password": value, **rest})
    once = json.loads(formats.scrub(text))
    assert once == {"before": 1, "password": REPLACEMENT, **rest}
    for _ in range(2):
        text = json.dumps({"body": text, **rest})
        scrubbed = json.loads(formats.scrub(text))
        assert scrubbed["after"] == "stays"
        inner = scrubbed["body"]
        while '"body"' in inner:
            inner = json.loads(inner)["body"]
        assert json.loads(inner) == once


# ---------------------------------------------------------------- what is held


@pytest.mark.parametrize("secret", ["", "x", "hunt2", "      ", "postgres", "REDACTED", "password"])
def test_what_would_take_words_with_it_is_not_held(secret: str) -> None:
    assert Secrets([secret]).forms() == []


@pytest.mark.parametrize("secret", ["hunter", "pöstgres", "Postgres", "postgres1"])
def test_what_is_a_secret_only_by_its_shape(secret: str) -> None:
    held = bool(Secrets([secret]).forms())
    assert held == (secret != "hunter" and not (secret.isalpha() and secret.islower()))


def test_a_user_cannot_strike_words_out_of_the_log() -> None:
    secrets = Secrets()
    for word in ("error", "agent.created", "administrators-only"[:15], "incomprehensibilities"):
        secrets.learn(word)
    assert secrets.forms() == []


def test_learned_keys_are_bounded_and_the_servers_own_stay() -> None:
    holder = Scrubber(Secrets(["the-own-secret-1"]))
    first = "learned-key-number-00000"
    for number in range(MAX_LEARNED + 10):
        holder.secrets.learn(f"learned-key-number-{number:05}")
    last = f"learned-key-number-{MAX_LEARNED + 9:05}"
    assert holder.scrub(f"the-own-secret-1 {last}") == f"{REPLACEMENT} {REPLACEMENT}"
    assert holder.scrub(first) == first


def test_a_key_is_known_from_the_moment_it_was_learned() -> None:
    holder = Scrubber()
    key = "vendor-key-4711-without-a-format"
    assert holder.scrub(key) == key
    holder.secrets.learn(key)
    assert holder.scrub(f"say {key}!") == f"say {REPLACEMENT}!"
    version = holder.secrets.version
    holder.secrets.learn(key)
    assert holder.secrets.version == version


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql://ada:p%40ss@h1:5432,h2/x", ["p%40ss", "p@ss"]),
        ("postgresql:///x?host=/tmp&user=ada&password=s%2Fs", ["s/s"]),
        ("redis://:p:w@h:6379/0", ["p:w", "p:w"]),
        ("postgresql://h/x", []),
    ],
)
def test_passwords_of_databases(address: str, expected: list[str]) -> None:
    assert list(passwords_in(address)) == expected


# ---------------------------------------------------------------- fields


class Role(StrEnum):
    USER = "user"


def test_fields_with_secret_names_are_not_shown_whatever_they_hold() -> None:
    given = {
        "password": "x",
        "clientSecret": "y",
        "API_KEY": "z",
        "headers": {"Authorization": "anything", "cookie": b"a=b"},
        "list": [{"token": "t"}, "sk-" + "proj-" + "a1" * 20],
    }
    assert formats.scrub_value(given) == {
        "password": REPLACEMENT,
        "clientSecret": REPLACEMENT,
        "API_KEY": REPLACEMENT,
        "headers": {"Authorization": REPLACEMENT, "cookie": REPLACEMENT},
        "list": [{"token": REPLACEMENT}, REPLACEMENT],
    }


def test_other_fields_keep_their_values() -> None:
    id = UUID(int=1)
    given = {
        "key_id": id,
        "max_tokens": 5,
        "session_key": "agent:a",
        "next_page_token": "abc",
        "role": Role.USER,
        "at": datetime(2026, 1, 2, tzinfo=UTC),
        "empty": None,
        "flag": True,
        "scopes": ["operator.read"],
        "password": "",
    }
    assert formats.scrub_value(given) == given | {
        "key_id": str(id),
        "role": "user",
        "at": "2026-01-02 00:00:00+00:00",
    }


def test_objects_are_told_as_text_without_their_secrets() -> None:
    error = ValueError("no access with password=hunter2x")
    assert (
        formats.scrub_value({"error": error})["error"]
        == f"ValueError('no access with password={REPLACEMENT}')"
    )


def test_depth_is_bounded() -> None:
    nested: Any = "password=hunter2x"
    for _ in range(2000):
        nested = [nested]
    scrubbed = formats.scrub_value({"a": nested})
    assert TOO_DEEP in str(scrubbed)


def test_a_preview_does_not_show_half_a_key() -> None:
    key = "sk-" + "proj-" + "aB3" * 30
    for start in range(380, 505):
        text = "x " * (start // 2) + key
        assert "aB3" not in formats.clip(text, 500)
        assert len(formats.clip(text, 500)) <= 500
    assert formats.clip("short", 500) == "short"
    assert formats.clip("y" * 501, 500) == "y" * 499 + "…"
