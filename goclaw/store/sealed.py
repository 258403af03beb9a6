"""Sealed columns as a whole: what they hold, by key, and other ciphertext in its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from goclaw.models.sealed import SealedColumn
from goclaw.store.database import fetch
from goclaw.store.pool import Pool
from goclaw.store.tables import TABLES

LEGACY: Final = "aes-gcm"
SAMPLES: Final = 100
"""How many rows of each key are looked at."""

GROUPS: Final = """
    select key, total, id, text, label from (
        select *, count(*) over (partition by key) as total,
            row_number() over (partition by key order by id desc) as place
        from (
            select {row} as id, {column} as text, {label} as label, case
                when {column} ~ '^v1:[0-9a-f]{{8}}:' then substr({column}, 4, 8)
                when starts_with({column}, 'aes-gcm:') then 'aes-gcm'
                else '' end as key
            from {table} where {column} is not null) as keyed) as placed
    where place <= $1 order by key, place
"""
OTHERS: Final = """
    select {row} as id, {column} as text, {label} as label from {table}
    where {column} is not null and not starts_with({column}, $1)
        and ($2::uuid is null or {row} > $2)
    order by {row} limit $3
"""
REPLACE: Final = """
    with wanted as (select * from unnest($1::uuid[], $2::text[], $3::text[]) as w(id, was, text)),
    mine as (
        select w.* from {table} as t join wanted as w on t.{row} = w.id and t.{column} = w.was
        for update of t skip locked)
    update {table} as t set {column} = mine.text from mine
    where t.{row} = mine.id and t.{column} = mine.was
    returning 1
"""
DISCARD: Final = """
    update {table} set {column} = null{touch} where {row} = $1 and {column} = $2 returning 1
"""
TOUCHED: Final = frozenset(
    str(table.__tablename__) for table in TABLES if "updated_at" in table.model_fields
)


@dataclass(frozen=True, slots=True)
class SealedText:
    """`text` is ciphertext of the row `id`, which people know as `label`."""

    id: UUID
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class SealedGroup:
    """What one key has sealed. `key` is its id, `aes-gcm` for text of older servers, which says
    no more, and empty for what is no ciphertext at all. `samples` are the newest.
    """

    key: str
    total: int
    samples: list[SealedText]


async def sealed_groups(pool: Pool, place: SealedColumn) -> list[SealedGroup]:
    groups: dict[str, SealedGroup] = {}
    for row in await fetch(pool, _filled(GROUPS, place), (SAMPLES,)):
        group = groups.setdefault(row["key"], SealedGroup(row["key"], row["total"], []))
        group.samples.append(_text(row))
    return list(groups.values())


async def sealed_otherwise(
    pool: Pool,
    place: SealedColumn,
    beginning: str,
    after: UUID | None,
    limit: int,
) -> list[SealedText]:
    """Texts that do not begin so, in the order of their rows."""
    return [
        _text(row) for row in await fetch(pool, _filled(OTHERS, place), (beginning, after, limit))
    ]


async def replace_sealed(
    pool: Pool,
    place: SealedColumn,
    rows: Sequence[SealedText],
    texts: Sequence[str],
) -> int:
    """How many were replaced: rows that hold another text by now, or that somebody is changing,
    stay as they are. Waits for nobody.
    """
    arguments = ([row.id for row in rows], [row.text for row in rows], list(texts))
    return len(await fetch(pool, _filled(REPLACE, place), arguments))


async def discard_sealed(pool: Pool, place: SealedColumn, row: SealedText) -> bool:
    """Whether it was still there. The row counts as changed, so that no cache keeps its secret."""
    return bool(await fetch(pool, _filled(DISCARD, place), (row.id, row.text)))


def _filled(sql: str, place: SealedColumn) -> str:
    touch = ", updated_at = now()" if place.table in TOUCHED else ""
    return sql.format(
        table=place.table, column=place.column, row=place.row, label=place.label, touch=touch
    )


def _text(row: Any) -> SealedText:
    return SealedText(row["id"], row["text"], row["label"])
