"""Secrets at rest: what is sealed opens in its own place, with its own key, and nowhere else."""

import os
import stat
from base64 import b64encode
from pathlib import Path
from uuid import uuid4

import pytest

from goclaw.core.errors import Unavailable
from goclaw.security.vault import KeyFormatError, Vault, key_in_folder, parse_key

KEY = bytes(range(32))
ROW = uuid4()


@pytest.fixture
def vault() -> Vault:
    return Vault(KEY)


def test_what_is_sealed_opens_again(vault: Vault) -> None:
    sealed = vault.seal("sk-secret", "providers", "api_key", ROW)
    assert "sk-secret" not in sealed
    assert sealed.startswith(f"v1:{vault.key_id}:")
    assert vault.open(sealed, "providers", "api_key", ROW) == "sk-secret"


def test_the_same_secret_never_looks_the_same(vault: Vault) -> None:
    assert vault.seal("x", "t", "c", ROW) != vault.seal("x", "t", "c", ROW)


@pytest.mark.parametrize(
    ("table", "column", "row"),
    [("other", "api_key", ROW), ("providers", "other", ROW), ("providers", "api_key", uuid4())],
)
def test_moved_ciphertext_does_not_open(vault: Vault, table: str, column: str, row: object) -> None:
    sealed = vault.seal("sk-secret", "providers", "api_key", ROW)
    with pytest.raises(Unavailable, match="cannot be read"):
        vault.open(sealed, table, column, row)  # type: ignore[arg-type]


def test_another_key_does_not_open(vault: Vault) -> None:
    sealed = vault.seal("sk-secret", "t", "c", ROW)
    with pytest.raises(Unavailable):
        Vault(os.urandom(32)).open(sealed, "t", "c", ROW)


@pytest.mark.parametrize("change", ["plain", "", "v1:x", "v2", "cut", "flip"])
def test_changed_text_does_not_open(vault: Vault, change: str) -> None:
    sealed = vault.seal("sk-secret", "t", "c", ROW)
    text = {
        "plain": "sk-secret",
        "v2": "v2" + sealed[2:],
        "cut": sealed[:-8],
        "flip": sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:],
    }.get(change, change)
    with pytest.raises(Unavailable):
        vault.open(text, "t", "c", ROW)


def test_without_a_key_nothing_is_stored() -> None:
    with pytest.raises(Unavailable, match="GOCLAW_ENCRYPTION_KEY"):
        Vault(None).seal("x", "t", "c", ROW)


@pytest.mark.parametrize("text", [KEY.hex(), b64encode(KEY).decode(), "k" * 32])
def test_three_forms_of_a_key(text: str) -> None:
    assert len(parse_key(text)) == 32


@pytest.mark.parametrize("text", ["", "short", "k" * 33, "z" * 64, b64encode(b"x" * 31).decode()])
def test_anything_else_is_no_key(text: str) -> None:
    with pytest.raises(KeyFormatError):
        parse_key(text)


def test_the_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = key_in_folder(tmp_path)
    assert key_in_folder(tmp_path) == first
    assert len(parse_key(first)) == 32
    assert stat.S_IMODE((tmp_path / "encryption.key").stat().st_mode) == 0o600
