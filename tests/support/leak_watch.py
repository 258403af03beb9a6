"""The search for leaks, at the end of each test that had a database."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from goclaw.models.sealed import SealedColumn
from goclaw.security.vault import Vault
from tests.support.leaks import Secrets, leaks


@pytest.fixture(scope="session")
def secrets() -> Iterator[Secrets]:
    """Learn what is sealed in this process while a database is watched, whoever asks for it."""
    secrets, seal = Secrets(), Vault.seal

    def watched(vault: Vault, secret: str, place: SealedColumn, row: UUID) -> str:
        secrets.learn(secret)
        return seal(vault, secret, place, row)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Vault, "seal", watched)
        yield secrets


@asynccontextmanager
async def watched(dsn: str, secrets: Secrets, *, marked: bool = False) -> AsyncIterator[None]:
    """From when a database is lent until it is searched."""
    with secrets.watch():
        yield
        await assert_no_leaks(dsn, secrets, marked=marked)


async def assert_no_leaks(dsn: str, secrets: Secrets, *, marked: bool) -> None:
    """A test that leaves such a thing on purpose is marked so: `@pytest.mark.leaky("why")`."""
    found = await leaks(dsn, secrets)
    if found and not marked:
        pytest.fail("\n".join(f"{leak.table}.{leak.column}: {leak.what}" for leak in found))
