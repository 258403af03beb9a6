"""Whether the providers answer, as `goclaw doctor` asks them."""

import asyncio
from functools import partial
from typing import Final

from goclaw.cli.session import every
from goclaw.core.errors import GatewayError
from goclaw.models.findings import Finding, failed, info, ok, warning
from goclaw.models.providers import Provider, ProviderSource
from goclaw.resolvers.agents import list_agents
from goclaw.resolvers.context import Context
from goclaw.resolvers.providers import list_models, list_providers, verify_provider

LIMIT_S: Final = 10
AT_ONCE: Final = 8
NO_LIST: Final = frozenset({"upstream_refused", "upstream_garbage"})
"""How vendors answer that have no list of models."""

FIXES: Final = {
    "upstream_credential": "give it another API key",
    "upstream_unreachable": "see that its api_base is right and that this machine may reach it",
    "secret_unreadable": "put the encryption key back, or give it its API key again",
    "encryption_key_missing": "set GOCLAW_ENCRYPTION_KEY",
    "upstream_rate_limited": "wait, or raise the limit at the vendor",
}


async def check_providers(ctx: Context, *, offline: bool) -> list[Finding]:
    providers = [row for row in await every(partial(list_providers, ctx)) if row.enabled]
    if not any(row.source != ProviderSource.EMBEDDED for row in providers):
        fix = "add a provider on the page, or start the server with a vendor's key, see README"
        return [info("providers", "only the embedded model", fix)]
    if offline:
        return [info("providers", f"{len(providers)} enabled, not asked (--offline)")]
    agents = await every(partial(list_agents, ctx))
    models = {agent.provider_id: agent.model for agent in agents if agent.model}
    slots = asyncio.Semaphore(AT_ONCE)

    async def check(row: Provider) -> Finding:
        async with slots:
            return await check_provider(ctx, row, models.get(row.id))

    return list(await asyncio.gather(*(check(row) for row in providers if _can_be_asked(row))))


def _can_be_asked(row: Provider) -> bool:
    """The embedded model lives inside the server, and has a finding of its own."""
    return row.source != ProviderSource.EMBEDDED


async def check_provider(ctx: Context, row: Provider, model: str | None) -> Finding:
    """`model` is one that an agent uses: to be asked where models cannot be listed."""
    subject = f"provider {row.name}"
    if row.source == ProviderSource.ENVIRONMENT and not _has_key(ctx, row):
        return info(subject, "not asked: its key is in the environment of the server, not here")
    try:
        async with asyncio.timeout(LIMIT_S):
            return ok(subject, f"answers, {len(await list_models(ctx, row.id))} models")
    except TimeoutError:
        return failed(subject, f"no answer within {LIMIT_S} s", FIXES["upstream_unreachable"])
    except GatewayError as error:
        if error.code not in NO_LIST:
            return _failed(subject, error)
        if model is None:
            fix = "make an agent that uses it, then run this again"
            return warning(subject, f"has no list of models to check it by: {error}", fix)
    return await _verify(ctx, row, model)


async def _verify(ctx: Context, row: Provider, model: str) -> Finding:
    subject = f"provider {row.name}"
    try:
        async with asyncio.timeout(LIMIT_S):
            verification = await verify_provider(ctx, row.id, model)
    except TimeoutError:
        return failed(subject, f"no answer within {LIMIT_S} s", FIXES["upstream_unreachable"])
    if verification.valid:
        return ok(subject, f"answers, model {model}")
    fix = "see that its api_base, its API key and the model of its agents are right"
    return failed(subject, f"model {model}: {verification.error}", fix)


def _failed(subject: str, error: GatewayError) -> Finding:
    return failed(subject, str(error), FIXES.get(error.code, "verify it on the page"))


def _has_key(ctx: Context, row: Provider) -> bool:
    return row.name.replace("-", "_") in ctx.services.settings.provider_keys
