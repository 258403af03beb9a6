"""What a worker consists of, in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from goclaw.app.services import open_services
from goclaw.core.host import Host
from goclaw.core.settings import load_settings
from goclaw.resolvers.services import Services


@asynccontextmanager
async def services_on(dsn: str, folder: Path) -> AsyncIterator[Services]:
    settings = load_settings(
        data_dir=folder,
        gateway_token="bench",
        encryption_key="6" * 64,
        db_connections=12,
        # Calls are counted as always; nobody makes so many.
        rate_per_address=1_000_000_000,
        rate_per_credential=1_000_000_000,
        rate_per_user=1_000_000_000,
    )
    host = Host(
        settings=settings,
        dsn=dsn,
        started_at=datetime.now(UTC),
        local_model_missing="switched off while measuring",
    )
    async with open_services(host) as services:
        yield services
