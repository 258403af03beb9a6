"""Properties of API keys, on whatever hypothesis thinks of."""

from hashlib import sha256

from hypothesis import example, given
from hypothesis import strategies as st

from goclaw.security.credentials import bearer, is_hash_of, key_hash, looks_like_key, new_key

DIGITS = "0123456789abcdef"
almost_keys = st.builds(
    "{}{}{}".format,
    st.sampled_from(["goclaw_", "goclaw-", "GOCLAW_", "oclaw_", " goclaw_", ""]),
    st.sampled_from([DIGITS, DIGITS + "ABCDEF", DIGITS + "g", DIGITS + "٣"]).flatmap(
        lambda digits: st.text(digits, min_size=31, max_size=33)
    ),
    st.sampled_from(["", "", "", "\n", " ", "\x00"]),
)
texts = st.text(max_size=60) | almost_keys


@given(texts)
@example("goclaw_" + "0" * 31)
@example("goclaw_" + "f" * 32)
@example("goclaw_" + "f" * 32 + "\n")
def test_a_key_is_its_prefix_and_32_digits(text: str) -> None:
    secret = text.removeprefix("goclaw_")
    expected = secret != text and len(secret) == 32 and set(secret) <= set(DIGITS)
    assert looks_like_key(text) is expected


def test_new_keys_are_keys_that_nobody_can_guess() -> None:
    made = [new_key() for _ in range(200)]
    assert len({key.text for key in made}) == len(made)
    for key in made:
        assert looks_like_key(key.text)
        assert key.text.startswith(f"goclaw_{key.prefix}")
        assert len(key.prefix) == 8
        assert key.hash == sha256(key.text.encode()).hexdigest()
        assert key.text not in repr(key)
        assert key.hash not in repr(key)


@given(texts, texts)
def test_a_hash_is_of_one_token_alone(one: str, other: str) -> None:
    assert is_hash_of(key_hash(one), one)
    assert is_hash_of(key_hash(one), other) is (one == other)


@given(st.sampled_from(["Bearer", "bearer", "BEARER", "bEaReR"]), texts)
def test_the_case_of_the_scheme_does_not_matter(scheme: str, token: str) -> None:
    assert bearer(f"{scheme} {token}") == (token.strip() or None)


@given(st.sampled_from(["Basic", "Bearer:", "Bearer_", "Token", ""]), texts)
def test_other_schemes_have_no_token(scheme: str, token: str) -> None:
    assert bearer(f"{scheme} {token}") is None
    assert bearer(None) is None
