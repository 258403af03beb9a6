"""The context files of agents and of their users."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel import select as select_one

from goclaw.core.context_files import BOOTSTRAP
from goclaw.core.ids import uuid7
from goclaw.models.context_files import AgentContextFile, AgentInstance, UserContextFile
from goclaw.models.shapes import now
from goclaw.store.database import Database, Db, Reads, fetch
from goclaw.store.pages import among_ids
from goclaw.store.query import Query

FIRST_RUNS: Final = 3
"""How many runs of a user that end well a first-run script may take."""
SEEN_S: Final = 60
"""How exactly it is known when a user was seen last."""

HELD: Final = """
select (select id from profile) as profile_id,
    (select jsonb_object_agg(file_name, content) from agent_context_files
        where agent_id = $1) as of_agent,
    (select jsonb_object_agg(file_name, content) from user_context_files
        where agent_id = $1 and user_id = $2{but}) as of_user
"""
PROFILE: Final = """profile as (
    select id, last_seen_at from user_agent_profiles where agent_id = $1 and user_id = $2
)"""
LOOK: Final = f"with {PROFILE} {HELD.format(but='')}"
MEET: Final = f"""
with {PROFILE}, seen as (
    update user_agent_profiles as p set last_seen_at = now() from profile
    where p.id = profile.id and p.last_seen_at < now() - interval '{SEEN_S} seconds'
), over as (
    delete from user_context_files as f using profile
    where f.agent_id = $1 and f.user_id = $2 and f.file_name = '{BOOTSTRAP}' and $4 and (
        select count(*) from (
            select from runs where runs.user_id = $2 and runs.id > profile.id
                and runs.agent_id = $1 and status = 'completed' and channel <> all($3)
            limit {FIRST_RUNS}
        ) as taken
    ) >= {FIRST_RUNS}
    returning f.id
) {HELD.format(but=" and id not in (select id from over)")}
"""
"""Who was met before is seen again, and a first-run script that took long enough goes."""

BEGIN: Final = """
with made as (
    insert into user_agent_profiles (id, agent_id, user_id, first_seen_at, last_seen_at, metadata)
    values ($1, $2, $3, now(), now(), '{}')
    on conflict (agent_id, user_id) do nothing
    returning id
), begun as (
    insert into user_context_files (id, agent_id, user_id, file_name, content, created_at,
        updated_at)
    select f.id, $2, $3, f.file_name, f.content, now(), now()
    from made, jsonb_to_recordset($4) as f (id uuid, file_name text, content text)
    on conflict (agent_id, user_id, file_name) do nothing
)
insert into events (id, topic, kind, user_id, agent_id, audience, payload)
select $5, 'agent_instance', 'agent_instance.created', $3, $2, 'user',
    jsonb_build_object('id', made.id, 'agent_id', $2::uuid)
from made
"""

OF_AGENT = Query[AgentContextFile](
    lambda visible: (
        select(AgentContextFile)
        .where(visible(AgentContextFile), among_ids(AgentContextFile.agent_id))
        .order_by(col(AgentContextFile.file_name))
    )
)


@dataclass(frozen=True, slots=True)
class Held:
    """The texts of an agent's files and of a user's with it, by name. `met` is whether the user
    had first contact.
    """

    met: bool
    of_agent: Mapping[str, str]
    of_user: Mapping[str, str]


async def look_at_files(database: Database, agent_id: UUID, user_id: str) -> Held:
    """Changes nothing."""
    return _held(await fetch(database.pool, LOOK, (agent_id, user_id), promptly=True))


async def meet_user(
    database: Database, agent_id: UUID, user_id: str, apart: Collection[str], *, counts: bool
) -> Held:
    """The same when a run begins, in one statement. With `counts` a first-run script ends that
    took long enough; runs on the channels `apart` are no part of anybody's first ones.
    """
    arguments = (agent_id, user_id, [*apart], counts)
    return _held(await fetch(database.pool, MEET, arguments, promptly=True))


async def begin_instance(
    database: Database, agent_id: UUID, user_id: str, files: Mapping[str, str]
) -> None:
    """First contact: the user's profile and files, made by whoever comes first and nobody else;
    the others wait for that.
    """
    rows = [
        {"id": str(uuid7()), "file_name": name, "content": text} for name, text in files.items()
    ]
    arguments = (uuid7(), agent_id, user_id, rows, uuid7())
    await fetch(database.pool, BEGIN, arguments, promptly=True)


def _held(rows: Sequence[Any]) -> Held:
    (row,) = rows
    return Held(row["profile_id"] is not None, row["of_agent"] or {}, row["of_user"] or {})


async def agent_files(reads: Reads, agent_id: UUID) -> Sequence[AgentContextFile]:
    return await OF_AGENT.fetch(reads, ids=[agent_id])


async def held_in(db: Db, agent_id: UUID, user_id: str) -> Held:
    """As it is within the transaction."""
    instance = await instance_to_change(db, agent_id, user_id)
    agents = select_one(AgentContextFile).where(col(AgentContextFile.agent_id) == agent_id)
    users = select_one(UserContextFile).where(
        col(UserContextFile.agent_id) == agent_id, col(UserContextFile.user_id) == user_id
    )
    return Held(
        instance is not None,
        {row.file_name: row.content for row in await db.exec(agents)},
        {row.file_name: row.content for row in await db.exec(users)},
    )


async def instance_to_change(db: Db, agent_id: UUID, user_id: str) -> AgentInstance | None:
    """The row, locked until the block ends, and with it the user's files."""
    statement = select_one(AgentInstance).where(
        col(AgentInstance.agent_id) == agent_id, col(AgentInstance.user_id) == user_id
    )
    return (await db.exec(statement.with_for_update())).one_or_none()


async def write_agent_file(db: Db, agent_id: UUID, name: str, content: str) -> AgentContextFile:
    """The row, also of a file that is removed as it is empty."""
    row = AgentContextFile(agent_id=agent_id, file_name=name, content=content)
    of = (col(AgentContextFile.agent_id) == agent_id, col(AgentContextFile.file_name) == name)
    if not content:
        await db.exec(delete(AgentContextFile).where(*of))
        return row
    saved: AgentContextFile = await _upsert(db, AgentContextFile, row, ["agent_id", "file_name"])
    return saved


async def write_user_file(
    db: Db, agent_id: UUID, user_id: str, name: str, content: str
) -> UserContextFile:
    """The row, also of a file that is removed as it is empty."""
    row = UserContextFile(agent_id=agent_id, user_id=user_id, file_name=name, content=content)
    if not content:
        await db.exec(
            delete(UserContextFile).where(
                col(UserContextFile.agent_id) == agent_id,
                col(UserContextFile.user_id) == user_id,
                col(UserContextFile.file_name) == name,
            )
        )
        return row
    unique = ["agent_id", "user_id", "file_name"]
    saved: UserContextFile = await _upsert(db, UserContextFile, row, unique)
    return saved


async def _upsert(db: Db, table: Any, row: Any, unique: list[str]) -> Any:
    changed = {"content": row.content, "updated_at": now()}
    statement = (
        insert(table)
        .values(row.model_dump())
        .on_conflict_do_update(index_elements=unique, set_=changed)
    )
    return (await db.exec(statement.returning(table))).scalar_one()


async def add_agent_files(db: Db, agent_id: UUID, files: Mapping[str, str]) -> None:
    """Those that are not there yet."""
    rows = [
        AgentContextFile(agent_id=agent_id, file_name=name, content=text).model_dump()
        for name, text in files.items()
    ]
    if rows:
        await db.exec(insert(AgentContextFile).values(rows).on_conflict_do_nothing())


async def remove_context_of(db: Db, agent_id: UUID) -> None:
    """All files of an agent and of its users with it, and whom it has met."""
    for table in (AgentContextFile, UserContextFile, AgentInstance):
        await db.exec(delete(table).where(col(table.agent_id) == agent_id))
