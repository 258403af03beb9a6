from typing import Any, Final, get_args

import orjson
from pydantic import BaseModel, SecretStr

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, InvalidInput
from goclaw.models.builtin_tools import MASK, BuiltinTool, BuiltinToolPatch, BuiltinToolView
from goclaw.models.parsing import parse_shape
from goclaw.models.sealed import SealedColumn
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.operation import operation
from goclaw.resolvers.tool_switches import TOOL_SWITCHES, Switch, opened
from goclaw.store.builtin_tools import builtin_tool_named, builtin_tool_to_change, save_builtin_tool
from goclaw.store.builtin_tools import builtin_tools as all_tools
from goclaw.tools.tool import Tool

ENTITY: Final = "builtin_tool"


@operation(Scope.READ)
async def list_builtin_tools(ctx: Context) -> list[BuiltinToolView]:
    """By category and name."""
    tools = ctx.services.tools.tools
    return [_view(ctx, row) for row in await all_tools(ctx.reads) if row.name in tools]


@operation(Scope.READ)
async def get_builtin_tool(ctx: Context, name: str) -> BuiltinToolView:
    """Raises NotFound."""
    _tool(ctx, name)
    return _view(ctx, found(await builtin_tool_named(ctx.reads, name), ENTITY, name))


@operation(Scope.ADMIN)
async def update_builtin_tool(
    ctx: Context, name: str, changes: BuiltinToolPatch
) -> BuiltinToolView:
    """Holds for every call that any worker begins once this has returned. Raises NotFound,
    InvalidInput for settings that the tool does not have, Conflict when it is to be switched on
    and what it requires is not there, Unavailable when there is no key to encrypt with.
    """
    tool = _tool(ctx, name)
    if not changes.model_fields_set:
        raise InvalidInput("required", field="enabled")
    missing = ctx.services.tools.missing(name)
    if changes.enabled and missing:
        raise Conflict("tool_lacks", field="enabled", name=name, missing=", ".join(missing))
    async with ctx.db() as db:
        row = found(await builtin_tool_to_change(db, name), ENTITY, name)
        if "enabled" in changes.model_fields_set:
            row.enabled = changes.enabled
        if "settings" in changes.model_fields_set:
            _set(ctx, tool, row, changes.settings)
        await save_builtin_tool(db, row)
        changed = sorted(changes.model_fields_set)
        ctx.announce(db, "builtin_tool.updated", row, name=name, changed=changed)
        ctx.outdate(db, TOOL_SWITCHES, row.id)
    return _view(ctx, row)


def _tool(ctx: Context, name: str) -> Tool:
    """Raises NotFound, also for a row that another version of the server has left."""
    return found(ctx.services.tools.tools.get(name), ENTITY, name)


def _view(ctx: Context, row: BuiltinTool) -> BuiltinToolView:
    missing = ctx.services.tools.missing(row.name)
    tool = _tool(ctx, row.name)
    return BuiltinToolView(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        description=row.description,
        category=row.category,
        enabled=row.enabled and not missing,
        settings=row.settings if Scope.ADMIN in ctx.caller.scopes else None,
        settings_schema=None if tool.settings is None else tool.settings.model_json_schema(),
        requires=row.requires,
        missing=list(missing),
        metadata={"external": tool.external, "timeout_s": tool.timeout_s},
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _set(ctx: Context, tool: Tool, row: BuiltinTool, sent: dict[str, Any]) -> None:
    """Raises InvalidInput."""
    if tool.settings is None:
        if sent:
            raise InvalidInput("tool_without_settings", field="settings", name=tool.name)
        return
    secret = _secret_fields(tool.settings)
    wanted, keeps = dict(sent), [name for name in secret if sent.get(name, MASK) == MASK]
    if keeps:
        switch = Switch(row.id, row.enabled, row.settings, row.secrets)
        kept = opened(ctx.services.vault, switch)
        wanted |= {name: kept.get(name) for name in keeps}
    names = {name: f"settings.{name}" for name in {*tool.settings.model_fields, *sent}}
    parsed = parse_shape(tool.settings, wanted, rename=names)
    secrets = {
        name: value.get_secret_value()
        for name in secret
        if (value := getattr(parsed, name)) is not None and value.get_secret_value()
    }
    row.settings = parsed.model_dump(mode="json", exclude=secret, exclude_unset=True)
    row.settings |= dict.fromkeys(secrets, MASK)
    row.secrets = None
    if secrets:
        text = orjson.dumps(secrets).decode()
        row.secrets = ctx.services.vault.seal(text, SealedColumn.TOOL_SECRETS, row.id)


def _secret_fields(shape: type[BaseModel]) -> set[str]:
    return {
        name
        for name, field in shape.model_fields.items()
        if field.annotation is SecretStr or SecretStr in get_args(field.annotation)
    }
