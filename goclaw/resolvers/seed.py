"""What a server has before anybody configured it: providers it was given keys for, the embedded
model, and an agent to talk to.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import structlog

from goclaw.core.callers import SYSTEM, system_caller
from goclaw.core.errors import GatewayError
from goclaw.core.host import LOCAL_MODEL_NAME
from goclaw.core.settings import Settings
from goclaw.models.agents import Agent
from goclaw.models.builtin_tools import BuiltinTool
from goclaw.models.providers import Provider, ProviderSource, ProviderType
from goclaw.providers.messages import ModelMessage, ModelRequest
from goclaw.resolvers.services import Services
from goclaw.store.agents import any_agent, default_agent, save_agent
from goclaw.store.builtin_tools import all_builtin_tools, save_builtin_tool
from goclaw.store.database import Db
from goclaw.store.providers import (
    lock_seed,
    only_local_enabled,
    provider_by_name,
    provider_named,
    providers_from,
    save_provider,
)
from goclaw.store.trust import next_epoch
from goclaw.tools.tool import Tool

log = structlog.get_logger()

WARM_ATTEMPTS: Final = 60
WARM_PAUSE_S: Final = 1.0
LOCAL: Final = "local"
DEFAULT_AGENT: Final = "default"
PROMPT: Final = (
    "You are a helpful assistant. Answer in the language of the question, "
    "briefly and to the point. Say so when you do not know something."
)
LOCAL_ANSWER_TOKENS: Final = 1024
LOCAL_CONTEXT_TOKENS: Final = 8192

TYPES: Final = {
    "openai": ProviderType.OPENAI_COMPAT,
    "anthropic": ProviderType.ANTHROPIC_NATIVE,
    "gemini": ProviderType.GEMINI_NATIVE,
    "groq": ProviderType.GROQ,
    "deepseek": ProviderType.DEEPSEEK,
    "mistral": ProviderType.MISTRAL,
    "xai": ProviderType.XAI,
}
BASES: Final = {
    "openrouter": "https://openrouter.ai/api/v1",
    "cohere": "https://api.cohere.ai/compatibility/v1",
    "perplexity": "https://api.perplexity.ai",
    "dashscope": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    "bailian": "https://coding-intl.dashscope.aliyuncs.com/v1",
    "minimax": "https://api.minimax.io/v1",
    "zai": "https://api.z.ai/api/paas/v4",
    "zai_coding": "https://api.z.ai/api/coding/paas/v4",
    "ollama_cloud": "https://ollama.com/v1",
}
"""Vendors without a type of their own that speak OpenAI's format, and where."""


async def seed(services: Services) -> None:
    """Safe to repeat, and at the same time on several workers."""
    async with services.database.begin(system_caller()) as db:
        await lock_seed(db)
        await _keep_environment(db, services.settings)
        await _keep_tools(db, services.tools.tools.values())
        local = await _local_provider(db)
        if not await any_agent(db):
            await save_agent(db, _default_agent(local))
        await next_epoch(db)  # other replicas remember providers


async def _keep_environment(db: Db, settings: Settings) -> None:
    """A vendor's provider is there as long as its key is."""
    known = {row.name: row for row in await providers_from(db, ProviderSource.ENVIRONMENT)}
    for name in settings.provider_keys:
        slug = name.replace("_", "-")
        row = known.pop(slug, None)
        if row is None and await provider_named(db, slug) is None:
            row = Provider(
                name=slug,
                provider_type=TYPES.get(name, ProviderType.OPENAI_COMPAT),
                api_base=BASES.get(name),
                source=ProviderSource.ENVIRONMENT,
                created_by=SYSTEM,
            )
        if row is not None:
            await _enable(db, row, enabled=True)
    for row in known.values():
        await _enable(db, row, enabled=False)


async def _enable(db: Db, row: Provider, *, enabled: bool) -> None:
    if row not in db or row.enabled != enabled:
        row.enabled = enabled
        await save_provider(db, row)


async def _keep_tools(db: Db, tools: Iterable[Tool]) -> None:
    """Each has a row, with the words of this version. What administrators set stays."""
    known = {row.name: row for row in await all_builtin_tools(db)}
    for tool in tools:
        words: dict[str, Any] = {
            "name": tool.name,
            "display_name": tool.display_name,
            "description": tool.description,
            "category": tool.category,
            "requires": list(tool.requires),
        }
        row = known.get(tool.name, BuiltinTool(**words))
        if row not in db or any(getattr(row, name) != word for name, word in words.items()):
            row.sqlmodel_update(words)
            await save_builtin_tool(db, row)


async def _local_provider(db: Db) -> Provider:
    rows = await providers_from(db, ProviderSource.EMBEDDED)
    if rows:
        return rows[0]
    return await save_provider(
        db,
        Provider(
            name=LOCAL,
            display_name="Small local model",
            provider_type=ProviderType.LOCAL,
            source=ProviderSource.EMBEDDED,
            created_by=SYSTEM,
        ),
    )


def _default_agent(provider: Provider) -> Agent:
    return Agent(
        key=DEFAULT_AGENT,
        display_name="Assistant",
        description="Answers with the small model that runs on this machine.",
        owner_id=SYSTEM,
        provider_id=provider.id,
        model=LOCAL_MODEL_NAME,
        system_prompt=PROMPT,
        is_default=True,
        context_window=LOCAL_CONTEXT_TOKENS,
        max_output_tokens=LOCAL_ANSWER_TOKENS,
    )


async def warm_local_model(services: Services) -> None:
    """Has the embedded model read the default agent's prompt, so that the first answer comes
    at once. Nothing to do where there is another provider, or no such model.
    """
    model = services.host.local_model
    reads = services.database.reads(system_caller())
    if model is None or not await only_local_enabled(reads):
        return
    agent = await default_agent(reads)
    provider = None if agent is None else await provider_by_name(reads, agent.provider)
    if agent is None or provider is None or provider.source != ProviderSource.EMBEDDED:
        return
    client = services.clients.client_of(provider)
    messages = [ModelMessage("system", agent.system_prompt), ModelMessage("user", "Hi")]
    for _ in range(WARM_ATTEMPTS):
        try:
            await client.complete(ModelRequest(agent.model, messages, max_tokens=1))
            log.info("local_model.warm")
            return
        except GatewayError:
            await asyncio.sleep(WARM_PAUSE_S)
    log.warning("local_model.not_warm")
