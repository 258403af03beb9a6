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
        data_dir=folder, gateway_token="bench", encryption_key="6" * 64, db_connections=12
    )
    host = Host(
        settings=settings,
        dsn=dsn,
        started_at=datetime.now(UTC),
        local_model_missing="switched off while measuring",
    )
    async with open_services(host) as services:
        yield services
