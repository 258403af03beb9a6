"""Properties of ciphertext and of keys, on whatever hypothesis thinks of."""

from base64 import b64decode, b64encode
from string import ascii_letters, digits
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from goclaw.core.errors import Unavailable
from goclaw.models.sealed import SealedColumn
from goclaw.security.keys import Key, UnusableKey, parse_key
from goclaw.security.vault import LEGACY, Vault
from tests.support.vaults import vault_of

keys = st.binary(min_size=32, max_size=32).map(Key)
secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
places = st.sampled_from(SealedColumn)
rows = st.uuids()
BASE64 = ascii_letters + digits + "+/="
anything = st.one_of(
    st.text(),
    st.text("v1:aes-gcm0123456789abcdef=+/\n ", max_size=80),
    st.binary(max_size=80).map(lambda raw: LEGACY + b64encode(raw).decode()),
)


def opened(vault: Vault, text: str, place: SealedColumn, row: UUID) -> str | None:
    """None when it is refused, in the one way that there is."""
    try:
        return vault.open(text, place, row)
    except Unavailable as refusal:
        error = refusal
    assert error.code in ("secret_unreadable", "encryption_key_missing")
    assert text not in str(error) or len(text) < 4
    return None


def old_text(key: Key, nonce: bytes, secret: str) -> str:
    """As the older server wrote it."""
    return (
        LEGACY + b64encode(nonce + AESGCM(key.raw).encrypt(nonce, secret.encode(), None)).decode()
    )


@given(keys, secrets, places, rows)
def test_a_secret_comes_back(key: Key, secret: str, place: SealedColumn, row: UUID) -> None:
    vault = vault_of(key)
    assert vault.open(vault.seal(secret, place, row), place, row) == secret


@given(keys, keys, secrets, places, rows)
def test_it_comes_back_after_a_change_of_keys(
    old: Key, new: Key, secret: str, place: SealedColumn, row: UUID
) -> None:
    text = vault_of(old).seal(secret, place, row)
    assert vault_of(new, old).open(text, place, row) == secret
    assert vault_of(new, old).is_current(text) == (old == new)


@given(keys, secrets, places, rows, places, rows)
def test_moved_it_is_refused(
    key: Key, secret: str, place: SealedColumn, row: UUID, other: SealedColumn, elsewhere: UUID
) -> None:
    """To another column, another row, or both."""
    vault = vault_of(key)
    sealed = vault.seal(secret, place, row)
    for moved in ((other, row), (place, elsewhere), (other, elsewhere)):
        if moved != (place, row):
            assert opened(vault, sealed, *moved) is None


@given(keys, keys, secrets, places, rows)
def test_another_key_is_refused(
    key: Key, other: Key, secret: str, place: SealedColumn, row: UUID
) -> None:
    assume(key != other)
    text = vault_of(key).seal(secret, place, row)
    assert opened(vault_of(other), text, place, row) is None
    renamed = text.replace(key.id, other.id)
    assert opened(vault_of(other, key), renamed, place, row) is None


@given(keys, secrets, places, rows, st.data())
def test_a_flipped_bit_is_refused(
    key: Key, secret: str, place: SealedColumn, row: UUID, data: st.DataObject
) -> None:
    """Of nonce, ciphertext or tag."""
    vault = vault_of(key)
    version, key_id, encoded = vault.seal(secret, place, row).split(":")
    raw = bytearray(b64decode(encoded))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    changed = f"{version}:{key_id}:{b64encode(raw).decode()}"
    assert opened(vault, changed, place, row) is None


@given(keys, secrets, places, rows, st.booleans(), st.data())
def test_a_changed_character_is_refused(
    key: Key, secret: str, place: SealedColumn, row: UUID, legacy: bool, data: st.DataObject
) -> None:
    """Anywhere in the text, prefix and padding too; also in what an older server wrote. The
    last characters of base64 have bits that say nothing.
    """
    vault = vault_of(key)
    text = old_text(key, bytes(12), secret) if legacy else vault.seal(secret, place, row)
    places = st.one_of(st.integers(0, len(text) - 1), st.integers(len(text) - 3, len(text) - 1))
    for _ in range(20):
        at = data.draw(places)
        other = data.draw(st.one_of(st.sampled_from(BASE64), st.characters(codec="ascii")))
        added = text[:at] + other + text[at:]
        assert opened(vault, added, place, row) is None
        if other != text[at]:
            assert opened(vault, text[:at] + other + text[at + 1 :], place, row) is None


@given(keys, secrets, places, rows, st.data())
def test_a_part_of_it_is_refused(
    key: Key, secret: str, place: SealedColumn, row: UUID, data: st.DataObject
) -> None:
    vault = vault_of(key)
    text = vault.seal(secret, place, row)
    begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    assume(end - begin < len(text))
    assert opened(vault, text[begin:end], place, row) is None


@given(keys, st.binary(min_size=12, max_size=12), secrets, places, rows, st.lists(keys, max_size=3))
def test_what_an_older_server_wrote_comes_back(
    key: Key, nonce: bytes, secret: str, place: SealedColumn, row: UUID, others: list[Key]
) -> None:
    text = old_text(key, nonce, secret)
    assert vault_of(*others, key).open(text, place, row) == secret
    assert key in others or opened(vault_of(*others), text, place, row) is None


@given(keys, st.binary(min_size=12, max_size=12), places, rows)
def test_an_empty_secret_is_refused(key: Key, nonce: bytes, place: SealedColumn, row: UUID) -> None:
    """Sealed correctly, by somebody else."""
    bound = f"{place.table}.{place.column}:{row}".encode()
    sealed = b64encode(nonce + AESGCM(key.raw).encrypt(nonce, b"", bound)).decode()
    assert opened(vault_of(key), f"v1:{key.id}:{sealed}", place, row) is None
    assert opened(vault_of(key), old_text(key, nonce, ""), place, row) is None


@given(st.lists(keys, max_size=3), anything, places, rows)
def test_garbage_is_refused(known: list[Key], text: str, place: SealedColumn, row: UUID) -> None:
    assert opened(vault_of(*known), text, place, row) is None


def written(raw: bytes) -> SearchStrategy[str]:
    return st.sampled_from([raw.hex(), raw.hex().upper(), b64encode(raw).decode()])


@given(keys, st.data())
def test_a_key_is_the_same_in_each_form(key: Key, data: st.DataObject) -> None:
    assert parse_key(data.draw(written(key.raw))) == key


characters = st.one_of(st.characters(), st.characters(categories=["Cs"]))
almost_keys = st.one_of(
    st.text(characters, max_size=70),
    st.text(characters, min_size=32, max_size=32),
    st.text(characters, min_size=43, max_size=43).map(lambda text: f"{text}="),
    st.text(BASE64, min_size=43, max_size=43).map(lambda text: f"{text}="),
    st.text("0123456789abcdefg", min_size=64, max_size=64),
    st.binary(max_size=40).map(lambda raw: b64encode(raw).decode()),
)


@given(almost_keys)
def test_a_text_is_a_key_of_32_bytes_or_refused(text: str) -> None:
    said = ""
    try:
        assert len(parse_key(text, "HERE").raw) == 32
    except UnusableKey as error:
        said = str(error)
    assert not said or (said.startswith("HERE: ") and (len(text) < 12 or text not in said))
