"""The search for leaks, at the end of each test that had a database."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from goclaw.models.sealed import SealedColumn
from goclaw.security.vault import Vault
from tests.support.leaks import Secrets, leaks


@pytest.fixture(scope="session")
def secrets() -> Iterator[Secrets]:
    """Learns what is sealed in this process, whoever asks for it."""
    secrets, seal = Secrets(), Vault.seal

    def watched(vault: Vault, secret: str, place: SealedColumn, row: UUID) -> str:
        secrets.add(secret)
        return seal(vault, secret, place, row)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Vault, "seal", watched)
        yield secrets


async def assert_no_leaks(dsn: str, secrets: Secrets, *, marked: bool) -> None:
    """A test that leaves such a thing on purpose is marked so: `@pytest.mark.leaky("why")`."""
    found = await leaks(dsn, secrets)
    if found and not marked:
        pytest.fail("\n".join(f"{leak.table}.{leak.column}: {leak.what}" for leak in found))
