from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from sqlmodel import select as select_one

from goclaw.core.errors import Conflict
from goclaw.core.paging import Page, PageRequest
from goclaw.models.agents import Agent
from goclaw.models.providers import Provider, ProviderSource
from goclaw.models.shapes import now
from goclaw.store.database import Db, Reads
from goclaw.store.pages import Total, among_ids, count_of, fetch_count, fetch_page, newest_first
from goclaw.store.query import Query

COLUMNS = (
    *(column for column in Provider.__table__.c),  # type: ignore[attr-defined]
    col(Provider.api_key).is_not(None).label("has_api_key"),
)
BY_ID = Query[Provider](lambda _: select(*COLUMNS).where(among_ids(Provider.id)))
BY_NAME = Query[Provider](lambda _: select(*COLUMNS).where(col(Provider.name) == bindparam("name")))
PAGE = Query[Provider](
    lambda visible: newest_first(select(*COLUMNS).where(visible(Provider)), col(Provider.id))
)
OTHERS = Query[Provider](
    lambda _: (
        select(col(Provider.id))
        .where(col(Provider.enabled), col(Provider.source) != ProviderSource.EMBEDDED)
        .limit(1)
    )
)
SEED_LOCK = 0x676F636C61770002
TOTAL = Query[Total](lambda visible: count_of(Provider, visible(Provider)))


async def providers_by_id(reads: Reads, ids: Collection[UUID]) -> dict[UUID, Provider]:
    return {row.id: row for row in await BY_ID.fetch(reads, ids=list(ids))}


async def provider_by_name(reads: Reads, name: str) -> Provider | None:
    return await BY_NAME.fetch_one(reads, name=name)


async def providers_page(reads: Reads, request: PageRequest) -> Page[Provider]:
    return await fetch_page(PAGE, reads, request)


async def count_providers(reads: Reads) -> int:
    return await fetch_count(TOTAL, reads)


async def provider_to_change(db: Db, id: UUID) -> Provider | None:
    """The row, locked until the block ends."""
    return (
        await db.exec(db.visible(Provider).where(col(Provider.id) == id).with_for_update())
    ).one_or_none()


async def save_provider(db: Db, provider: Provider) -> Provider:
    """Raises Conflict when the name is taken."""
    provider.updated_at = now()
    name = provider.name  # a failed flush makes the row forget it
    db.add(provider)
    try:
        await db.flush()
    except IntegrityError as error:
        raise Conflict("provider_name_taken", field="name", name=name) from error
    return provider


async def remove_provider(db: Db, provider: Provider) -> None:
    """Raises Conflict while live agents use it; deleted agents move to no provider's place."""
    users = select_one(func.count()).where(
        col(Agent.provider_id) == provider.id, col(Agent.deleted_at).is_(None)
    )
    if agents := (await db.exec(users)).one():
        raise Conflict("provider_in_use", name=provider.name, agents=agents)
    await db.delete(provider)
    await db.flush()


async def providers_from(db: Db, source: ProviderSource) -> Sequence[Provider]:
    return (await db.exec(select_one(Provider).where(col(Provider.source) == source))).all()


async def provider_named(db: Db, name: str) -> Provider | None:
    return (await db.exec(db.visible(Provider).where(col(Provider.name) == name))).one_or_none()


async def lock_seed(db: Db) -> None:
    """One worker seeds at a time; the lock goes with the transaction."""
    await db.exec(select_one(func.pg_advisory_xact_lock(SEED_LOCK)))


async def only_local_enabled(reads: Reads) -> bool:
    """Whether the embedded model is all there is."""
    return not await OTHERS.fetch(reads)
