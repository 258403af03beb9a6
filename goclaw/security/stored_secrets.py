"""Whether the keys of this server fit the secrets that are stored."""

from dataclasses import dataclass
from typing import Final

import structlog

from goclaw.core.errors import Unavailable
from goclaw.models.sealed import SealedColumn
from goclaw.security.key_ring import OLDER_SETTING, KeyRing
from goclaw.security.keys import CURRENT_SETTING
from goclaw.security.vault import Vault
from goclaw.store.database import Database
from goclaw.store.sealed import LEGACY, SealedGroup, SealedText, sealed_groups

log = structlog.get_logger()

MOST_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """What one key has sealed in one column, and which of its samples do not open."""

    place: SealedColumn
    group: SealedGroup
    unreadable: list[SealedText]

    @property
    def is_ciphertext(self) -> bool:
        return self.group.key != ""

    @property
    def opens(self) -> bool:
        """At least one does: the key is the right one."""
        return len(self.unreadable) < len(self.group.samples)

    def __str__(self) -> str:
        names = ", ".join(row.label for row in self.group.samples[:MOST_NAMED])
        more = ", ..." if self.group.total > MOST_NAMED else ""
        key = "a key of an older server" if self.group.key == LEGACY else f"key {self.group.key}"
        return f"{self.group.total} of {self.place} ({names}{more}) under {key}"


async def stored_secrets(database: Database, vault: Vault) -> list[StoredGroup]:
    """Opens up to a hundred of each key and column, and forgets what it reads."""
    return [
        StoredGroup(place, group, [row for row in group.samples if not opens(vault, place, row)])
        for place in SealedColumn
        for group in await sealed_groups(database.pool, place)
    ]


def opens(vault: Vault, place: SealedColumn, row: SealedText) -> bool:
    try:
        vault.open(row.text, place, row.id)
    except Unavailable:
        return False
    return True


async def refuse_unknown_keys(database: Database, vault: Vault) -> None:
    """Raises Unavailable when a key is missing that secrets are stored under.

    A row that was changed or holds no ciphertext is no reason to refuse: it is logged, and
    refused to whoever asks for it.
    """
    groups = await stored_secrets(database, vault)
    if locked := [group for group in groups if group.is_ciphertext and not group.opens]:
        stored = "; ".join(map(str, locked))
        code = "secrets_of_unknown_key" if vault.keys.reading() else "secrets_without_key"
        raise Unavailable(code, stored=stored, fix=_remedy(vault.keys))
    for group in groups:
        for row in group.unreadable:
            log.warning("secret.unreadable", column=str(group.place), row=row.label)


def _remedy(keys: KeyRing) -> str:
    setting = OLDER_SETTING if keys.reading() else CURRENT_SETTING
    if keys.file is None:
        return f"set {setting} to the key they were encrypted with"
    return f"put that key back into {keys.file.path}, or into {OLDER_SETTING}"
