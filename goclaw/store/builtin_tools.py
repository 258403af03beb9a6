from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlmodel import col
from sqlmodel import select as select_one

from goclaw.models.builtin_tools import BuiltinTool
from goclaw.models.shapes import now
from goclaw.store.database import Db, Reads
from goclaw.store.query import Query

ALL = Query[BuiltinTool](
    lambda _: select(BuiltinTool).order_by(col(BuiltinTool.category), col(BuiltinTool.name))
)
BY_NAME = Query[BuiltinTool](
    lambda _: select(BuiltinTool).where(col(BuiltinTool.name) == bindparam("name"))
)


async def builtin_tools(reads: Reads) -> Sequence[BuiltinTool]:
    """By category and name."""
    return await ALL.fetch(reads)


async def builtin_tool_named(reads: Reads, name: str) -> BuiltinTool | None:
    return await BY_NAME.fetch_one(reads, name=name)


async def builtin_tool_to_change(db: Db, name: str) -> BuiltinTool | None:
    """The row, locked until the block ends."""
    found = db.visible(BuiltinTool).where(col(BuiltinTool.name) == name).with_for_update()
    return (await db.exec(found)).one_or_none()


async def save_builtin_tool(db: Db, tool: BuiltinTool) -> BuiltinTool:
    tool.updated_at = now()
    db.add(tool)
    await db.flush()
    return tool


async def all_builtin_tools(db: Db) -> Sequence[BuiltinTool]:
    return (await db.exec(select_one(BuiltinTool))).all()
