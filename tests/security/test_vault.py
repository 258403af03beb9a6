"""Secrets at rest: what is sealed opens in its own place, with its own key, and nowhere else."""

from base64 import b64encode
from itertools import product
from uuid import UUID, uuid4

import pytest

from goclaw.core.errors import Unavailable
from goclaw.models.sealed import SealedColumn
from goclaw.security.keys import Key
from goclaw.security.vault import Vault
from tests.support.vaults import key_of, vault_of

KEY = Key(bytes(range(32)))
ROW = uuid4()
PLACE = SealedColumn.PROVIDER_KEY
LEGACY = "aes-gcm:AAECAwQFBgcICQoLPCCRU5qxjVDID7Wxk5FaEL33tEy+itJhsAlsSGlbVpc="
"""`{"GH_TOKEN":"x"}` under KEY, with the nonce 00 to 0b."""


@pytest.fixture
def vault() -> Vault:
    return vault_of(KEY)


def refused(vault: Vault, text: str, place: SealedColumn = PLACE, row: UUID = ROW) -> str:
    with pytest.raises(Unavailable) as caught:
        vault.open(text, place, row)
    return caught.value.code


def test_what_is_sealed_opens_again(vault: Vault) -> None:
    sealed = vault.seal("sk-secret", PLACE, ROW)
    assert "sk-secret" not in sealed
    assert sealed.startswith(f"v1:{KEY.id}:")
    assert vault.open(sealed, PLACE, ROW) == "sk-secret"


def test_the_same_secret_never_looks_the_same(vault: Vault) -> None:
    assert vault.seal("x", PLACE, ROW) != vault.seal("x", PLACE, ROW)


@pytest.mark.parametrize(
    ("place", "row"),
    [
        (place, row)
        for place, row in product(SealedColumn, (ROW, uuid4()))
        if (place, row) != (PLACE, ROW)
    ],
)
def test_weakness_23_moved_ciphertext_does_not_open(
    vault: Vault, place: SealedColumn, row: UUID
) -> None:
    assert refused(vault, vault.seal("sk-secret", PLACE, ROW), place, row) == "secret_unreadable"


def test_weakness_23_another_key_does_not_open(vault: Vault) -> None:
    sealed = vault.seal("sk-secret", PLACE, ROW)
    assert refused(vault_of(key_of("o")), sealed) == "secret_unreadable"
    forged = f"v1:{key_of('o').id}:{sealed.split(':')[2]}"
    assert refused(vault_of(key_of("o")), forged) == "secret_unreadable"
    assert refused(vault_of(), sealed) == "encryption_key_missing"


def test_weakness_23_a_key_is_found_by_its_id(vault: Vault) -> None:
    old, new = vault.seal("old", PLACE, ROW), vault_of(key_of("n")).seal("new", PLACE, ROW)
    both = vault_of(key_of("n"), KEY)
    assert [both.open(text, PLACE, ROW) for text in (old, new)] == ["old", "new"]
    assert [both.is_current(text) for text in (old, new, LEGACY, "")] == [False, True, False, False]
    assert both.seal("x", PLACE, ROW).startswith(f"v1:{key_of('n').id}:")


@pytest.mark.parametrize("keys", [(KEY,), (key_of("n"), KEY), (key_of("a"), key_of("b"), KEY)])
def test_text_of_the_older_server_opens_with_any_of_the_keys(keys: tuple[Key, ...]) -> None:
    assert vault_of(*keys).open(LEGACY, PLACE, ROW) == '{"GH_TOKEN":"x"}'


def test_text_of_the_older_server_under_an_unknown_key(vault: Vault) -> None:
    assert refused(vault_of(key_of("n")), LEGACY) == "secret_unreadable"
    assert refused(vault_of(), LEGACY) == "encryption_key_missing"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sk-plain",
        "v1:x",
        "v1::",
        "::",
        "aes-gcm:",
        "aes-gcm:AAAA",
        "aes-gcm:not base64",
        "AES-GCM:" + LEGACY[8:],
        " " + LEGACY,
        LEGACY + "\n",
        LEGACY[8:],
        f"v1:{KEY.id}:",
        f"v1:{KEY.id}:{b64encode(bytes(12)).decode()}",
        f"v1:{KEY.id}:{b64encode(bytes(28)).decode()}",
        f"v2:{KEY.id}:{LEGACY[8:]}",
        f"v1:{KEY.id}:{LEGACY[8:]}",
        f"v1:{KEY.id}:é",
    ],
)
def test_weakness_23_what_is_no_ciphertext_is_never_handed_out(vault: Vault, text: str) -> None:
    assert refused(vault, text) == "secret_unreadable"


def test_base64_has_one_spelling(vault: Vault) -> None:
    """The last character before `=` has bits that mean nothing."""
    assert LEGACY.endswith("Vpc=")
    assert refused(vault, LEGACY.replace("Vpc=", "Vpd=")) == "secret_unreadable"


def test_weakness_23_an_empty_secret_is_neither_stored_nor_read(vault: Vault) -> None:
    with pytest.raises(ValueError, match="nothing to seal"):
        vault.seal("", PLACE, ROW)


def test_weakness_23_without_a_key_nothing_is_stored() -> None:
    with pytest.raises(Unavailable, match="GOCLAW_ENCRYPTION_KEY"):
        vault_of().seal("x", PLACE, ROW)
    assert not vault_of().is_current("v1:00000000:")
