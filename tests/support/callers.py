"""Contexts and rows that tests begin with."""

from uuid import UUID

from pydantic import SecretStr

from goclaw.core.callers import Caller, Scope, effective
from goclaw.models.agents import AgentCreate, AgentView
from goclaw.models.providers import Provider, ProviderCreate, ProviderType
from goclaw.resolvers.agents import create_agent
from goclaw.resolvers.context import Context
from goclaw.resolvers.providers import create_provider
from goclaw.resolvers.services import Services
from tests.upstream import ScriptedUpstream


def context(
    services: Services,
    user_id: str | None = "ada",
    *scopes: Scope,
    key_id: UUID | None = None,
    is_owner: bool = False,
    idempotency_key: str | None = None,
) -> Context:
    """Of a caller with write scope, unless told otherwise."""
    caller = Caller(effective(frozenset(scopes or {Scope.WRITE})), user_id, key_id, is_owner)
    return Context(services, caller, "test", address="127.0.0.1", idempotency_key=idempotency_key)


async def add_provider(
    services: Services, upstream: ScriptedUpstream, name: str = "scripted", **settings: object
) -> Provider:
    """Without further settings a fault of the vendor is told at once, and forgotten."""
    data = ProviderCreate(
        name=name,
        provider_type=ProviderType.OPENAI_COMPAT,
        api_base=upstream.base_url(),
        api_key=SecretStr("sk-upstream-secret"),
        settings=settings or {"max_attempts": 1, "breaker_failures": 0},
    )
    return await create_provider(context(services), data)


async def add_agent(
    services: Services, provider: Provider, key: str = "scribe", user_id: str = "ada"
) -> AgentView:
    data = AgentCreate(key=key, provider_id=provider.id, model="scripted-1", system_prompt="Write.")
    return await create_agent(context(services, user_id), data)
