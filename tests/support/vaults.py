"""Vaults of keys that tests name."""

from goclaw.security.key_ring import KeyRing
from goclaw.security.keys import Key, parse_key
from goclaw.security.vault import Vault


def key_of(letter: str) -> Key:
    """The same letter, the same key."""
    return parse_key(letter * 32)


def vault_of(*keys: Key) -> Vault:
    """The first one writes."""
    return Vault(KeyRing(keys[0] if keys else None, keys[1:]))
