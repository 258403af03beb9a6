"""Built-in tools from where they are switched on to where a run calls one."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import orjson
import pytest

from goclaw.app.services import open_services
from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from goclaw.core.host import Host
from goclaw.models.agents import AgentCreate, AgentPatch, AgentView
from goclaw.models.builtin_tools import MASK, BuiltinToolPatch
from goclaw.models.chat import ChatRequest
from goclaw.providers.messages import ToolCall
from goclaw.resolvers.agents import create_agent, update_agent
from goclaw.resolvers.builtin_tools import (
    get_builtin_tool,
    list_builtin_tools,
    update_builtin_tool,
)
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.context import Context
from goclaw.resolvers.services import Services
from goclaw.store.targets import Target
from goclaw.tools.toolbox import Toolbox
from goclaw.tools.web_search import WebSearchSettings
from tests.support.callers import add_provider, context
from tests.tools.conftest import tool_context
from tests.upstream import ScriptedUpstream
from tests.upstream.script import Call

KEY = "BSA-not-a-real-key-0123456789"


def admin(services: Services) -> Context:
    return context(services, None, Scope.ADMIN)


async def switch(services: Services, name: str, **changes: Any) -> Any:
    return await update_builtin_tool(admin(services), name, BuiltinToolPatch(**changes))


async def agent_with(
    services: Services, upstream: ScriptedUpstream, config: dict[str, Any], key: str = "scribe"
) -> AgentView:
    provider = await add_provider(services, upstream, name=f"for-{key}")
    data = AgentCreate(key=key, provider_id=provider.id, model="scripted-1", tools_config=config)
    return await create_agent(context(services), data)


async def target(services: Services, agent: AgentView, user_id: str = "ada") -> Target:
    reads = context(services, user_id).reads
    found = await services.targets.find(reads, id=agent.id, key="", or_default=False)
    assert found is not None
    return found


async def box(services: Services, agent: AgentView) -> Toolbox | None:
    return await services.toolboxes.toolbox(await target(services, agent), "ada")


def names(toolbox: Toolbox | None) -> list[str]:
    assert toolbox is not None
    return [tool["function"]["name"] for tool in toolbox.definitions]


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall("1", name, orjson.dumps(arguments).decode())


async def test_every_tool_has_a_row_and_words(services: Services) -> None:
    rows = await list_builtin_tools(context(services))
    assert {row.name for row in rows} == set(services.tools.tools)
    assert [(row.category, row.name) for row in rows] == sorted(
        (row.category, row.name) for row in rows
    )
    assert all(row.enabled and row.description and row.display_name for row in rows)


async def test_settings_are_the_administrators_and_secrets_nobodys(services: Services) -> None:
    changed = await switch(services, "web_search", settings={"brave_api_key": KEY})
    assert changed.settings == {"brave_api_key": MASK}
    assert changed.settings_schema is not None
    assert set(changed.settings_schema["properties"]) == {"providers", "brave_api_key"}
    assert (await get_builtin_tool(context(services), "read_file")).settings_schema is None
    assert (await get_builtin_tool(context(services), "web_search")).settings is None
    connection = await asyncpg.connect(services.host.dsn)
    row = await connection.fetchrow("select * from builtin_tools where name = 'web_search'")
    await connection.close()
    assert KEY not in str(dict(row))
    assert row["secrets"].startswith("v1:")
    read = services.tools.tools["web_search"].run.__self__._settings  # type: ignore[attr-defined]
    settings = await read()
    assert isinstance(settings, WebSearchSettings)
    assert settings.brave_api_key is not None
    assert settings.brave_api_key.get_secret_value() == KEY


async def test_a_secret_stays_until_it_is_forgotten(services: Services) -> None:
    await switch(services, "web_search", settings={"brave_api_key": KEY})
    for sent in ({"providers": ["brave"]}, {"brave_api_key": MASK, "providers": ["duckduckgo"]}):
        changed = await switch(services, "web_search", settings=sent)
        assert changed.settings == {**sent, "brave_api_key": MASK}
    changed = await switch(services, "web_search", settings={"brave_api_key": None})
    assert changed.settings.get("brave_api_key") is None


@pytest.mark.parametrize(
    ("name", "sent", "code", "field"),
    [
        ("web_search", {"providers": ["altavista"]}, "invalid_input", "settings.providers"),
        ("web_search", {"providers": []}, "invalid_input", "settings.providers"),
        ("web_search", {"brave_api_key": 7}, "invalid_input", "settings.brave_api_key"),
        ("web_search", {"surprise": 1}, "unknown_field", "settings.surprise"),
        ("read_file", {"surprise": 1}, "tool_without_settings", "settings"),
    ],
)
async def test_settings_that_a_tool_does_not_have(
    services: Services, name: str, sent: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await switch(services, name, settings=sent)
    assert refused.value.code == code
    assert (refused.value.field or "").startswith(field)
    assert (await get_builtin_tool(admin(services), name)).settings == {}


async def test_who_may_and_what_is_there(services: Services) -> None:
    for caller in (context(services), context(services, "ada", Scope.READ)):
        with pytest.raises(Forbidden):
            await update_builtin_tool(caller, "edit", BuiltinToolPatch(enabled=False))
    for name in ("nothing", "", "../edit", "mcp__x__y"):
        with pytest.raises(NotFound):
            await switch(services, name, enabled=True)
        with pytest.raises(NotFound):
            await get_builtin_tool(context(services), name)
    with pytest.raises(InvalidInput):
        await switch(services, "edit")


async def test_a_tool_that_lacks_something_cannot_be_enabled(
    host: Host, upstream: ScriptedUpstream
) -> None:
    folder = host.settings.data_dir / "taken"
    folder.mkdir()
    (folder / "workspaces").write_text("a file in the place of the folder")
    settings = host.settings.model_copy(update={"data_dir": folder})
    async with open_services(replace(host, settings=settings)) as services:
        row = await get_builtin_tool(context(services), "edit")
        assert (row.enabled, row.missing) == (False, ["workspace"])
        with pytest.raises(Conflict, match="this server lacks workspace"):
            await switch(services, "edit", enabled=True)
        await switch(services, "edit", enabled=False)
        agent = await agent_with(services, upstream, {"profile": "coding"})
        assert "edit" not in names(await box(services, agent))
        assert "web_fetch" in names(await box(services, agent))


async def test_an_agent_has_no_tools_unless_it_says_so(
    services: Services, upstream: ScriptedUpstream
) -> None:
    configs: list[dict[str, Any]] = [{}, {"profile": "none"}, {"deny": ["exec"]}]
    for number, config in enumerate(configs):
        agent = await agent_with(services, upstream, config, f"scribe-{number}")
        assert await box(services, agent) is None


async def test_tools_come_in_one_order(services: Services, upstream: ScriptedUpstream) -> None:
    agent = await agent_with(services, upstream, {"allow": ["web_fetch", "edit", "read_file"]})
    assert names(await box(services, agent)) == ["edit", "read_file", "web_fetch"]


@pytest.fixture
async def other(host: Host, services: Services) -> AsyncIterator[Services]:
    """Another worker on the same database."""
    async with open_services(host, serving=False) as another:
        yield another


async def test_a_switch_holds_at_once_and_everywhere(
    services: Services, other: Services, upstream: ScriptedUpstream
) -> None:
    agent = await agent_with(services, upstream, {"profile": "coding"})
    begun = await box(other, agent)
    assert begun is not None
    assert "list_files" in names(begun)
    await switch(services, "list_files", enabled=False)
    assert "list_files" not in names(await box(other, agent))
    context = tool_context(agent_id=agent.id)
    result = await begun.call(context, call("list_files"))
    assert result.is_error
    assert result.text == "list_files is switched off on this server."
    await switch(services, "list_files", enabled=True)
    assert not (await begun.call(context, call("list_files"))).is_error


async def test_weakness_38_the_policy_holds_where_a_tool_is_called(
    services: Services, upstream: ScriptedUpstream
) -> None:
    agent = await agent_with(services, upstream, {"profile": "coding"})
    begun = await box(services, agent)
    assert begun is not None
    context_ = tool_context(agent_id=agent.id)
    assert not (await begun.call(context_, call("list_files"))).is_error
    denied = AgentPatch(tools_config={"profile": "coding", "deny": ["list_*"]})
    await update_agent(context(services), agent.id, denied)
    result = await begun.call(context_, call("list_files"))
    assert (result.is_error, result.text) == (True, "list_files may not be used here.")
    assert (await begun.call(context_, call("exec", command="ls"))).is_error


async def test_a_run_calls_a_tool_in_the_name_of_its_user(
    services: Services, upstream: ScriptedUpstream
) -> None:
    await agent_with(services, upstream, {"allow": ["write_file", "read_file"]})
    written = Call("write_file", '{"path": "a.md", "content": "hello"}', "call_1")
    refused = Call("exec", '{"command": "id"}', "call_2")
    upstream.reply(calls=(written, refused))
    upstream.reply("Done.")
    said = ChatRequest.model_validate(
        {"model": "goclaw:scribe", "messages": [{"role": "user", "content": "Write."}]}
    )
    begun = await start_chat(context(services), said)
    assert (await begun.reply()).content == "Done."
    first, second = (request.body for request in upstream.requests)
    offered = [tool["function"]["name"] for tool in first["tools"]]
    assert offered == ["read_file", "write_file"]
    assert second["tools"] == first["tools"]
    results = [message["content"] for message in second["messages"] if message["role"] == "tool"]
    assert results == ["Wrote 5 bytes to a.md.", "Error: There is no tool 'exec'."]
    [file] = (services.settings.data_dir / "workspaces").rglob("a.md")
    assert file.read_text() == "hello"
