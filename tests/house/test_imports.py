"""What a process imports decides how fast it starts and how much memory it holds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from goclaw.app import HOMES

ROOT = Path(__file__).parents[2]
WHERE = (
    "uvicorn",
    "starlette",
    "strawberry",
    "sqlalchemy",
    "asyncpg",
    "aiohttp",
    "alembic",
    "redis",
)
PRINT = f"import json, sys; print(json.dumps([name for name in {WHERE!r} if name in sys.modules]))"


def imported_by(statement: str) -> set[str]:
    done = subprocess.run(
        (sys.executable, "-c", f"{statement}\n{PRINT}"),
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    return set(json.loads(done.stdout))


def test_the_parent_stays_small() -> None:
    assert imported_by("import goclaw.cli.main, goclaw.cli.serve") == set()


def test_a_worker_knows_nothing_of_migrations_nor_of_redis_it_does_not_use() -> None:
    imported = imported_by("import goclaw.cli.worker; from goclaw.app import create_app")
    assert {"uvicorn", "starlette", "strawberry"} <= imported
    assert not imported & {"alembic", "redis"}


def test_a_migration_knows_nothing_of_the_doors() -> None:
    imported = imported_by("import goclaw.cli.migrator; from goclaw.app import migrate")
    assert "alembic" in imported
    assert not imported & {"uvicorn", "starlette", "strawberry", "aiohttp", "redis"}


@pytest.mark.parametrize("name", list(HOMES))
def test_import_strings_lead_somewhere(name: str) -> None:
    imported_by(f"from goclaw.app import {name}; assert callable({name})")
