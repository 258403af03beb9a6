"""From what a caller says to what a run is asked to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import urandom
from uuid import UUID

from goclaw.core.errors import InvalidInput, NotFound, Unavailable
from goclaw.models.agents import AgentStatus
from goclaw.models.budgets import Budget, Holder, Unit
from goclaw.models.providers import ProviderType
from goclaw.models.shapes import MAX_USER_ID_BYTES, now
from goclaw.providers.messages import ModelMessage, ModelRequest
from goclaw.resolvers.context import Context
from goclaw.resolvers.first_contact import prompt_files
from goclaw.resolvers.refs import Ref, as_id
from goclaw.runtime.context_files import PromptFiles
from goclaw.runtime.history import chain, split_at_last_answer
from goclaw.runtime.live import Turn, nothing_to_warn_of
from goclaw.runtime.prompt import system_prompt
from goclaw.security.guard import Guard
from goclaw.store.targets import Target
from goclaw.tools.toolbox import Toolbox

LABEL_CHARS = 80
LIMITS = (
    (Holder.AGENT, Unit.CENTS),
    (Holder.KEY, Unit.CENTS),
    (Holder.KEY, Unit.TOKENS),
    (Holder.USER, Unit.CENTS),
    (Holder.USER, Unit.TOKENS),
)
NO_LIMITS = (None,) * len(LIMITS)
STOPPED_RETRY_S = 60
WITHOUT_TOOLS = frozenset({ProviderType.LOCAL})
"""The embedded model is too small to call any: asked for a call it chose the right tool with the
right argument in none of eight cases, and took more than 40 s in four of them.
"""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The messages of a call: `kept` are stored already, `new` are not; `before` is the hash
    of those that are kept.
    """

    kept: Sequence[ModelMessage]
    new: Sequence[ModelMessage]
    before: bytes

    @classmethod
    def posted(cls, messages: Sequence[ModelMessage]) -> "Spoken":
        """A whole conversation: what it was up to its last answer may be stored already. One
        that ends with an answer, for the model to go on with, is new as a whole.
        """
        kept, new = split_at_last_answer(messages)
        return cls(kept, new, chain(kept)) if new else cls((), messages, b"")


async def chat_target(ctx: Context, ref: Ref, *, or_default: bool) -> Target:
    """Raises NotFound for an agent that is unknown, not the caller's to see, or not active, and
    Unavailable while all runs are stopped.
    """
    row = await ctx.services.targets.find(
        ctx.reads, id=None if or_default else as_id(ref), key=str(ref), or_default=or_default
    )
    if row is None:
        raise NotFound("agent_not_found", field="model", id=ref or "default")
    if row.stop_reason is not None:
        raise stopped(row.stop_reason)
    if row.status != AgentStatus.ACTIVE:
        raise NotFound("agent_inactive", field="model", key=row.key, status=row.status)
    return row


def stopped(reason: str) -> Unavailable:
    if not reason:
        return Unavailable("runs_stopped", retry_after_s=STOPPED_RETRY_S)
    return Unavailable("runs_stopped_because", retry_after_s=STOPPED_RETRY_S, reason=reason)


async def new_turn(
    ctx: Context,
    row: Target,
    spoken: Spoken,
    *,
    channel: str,
    session_id: UUID | None = None,
    continues: bool = False,
    session_key: str | None = None,
    options: ModelRequest | None = None,
) -> Turn:
    """`continues`: with whichever session holds what is kept. `options` is a request without
    model and messages; the agent's limits hold besides.

    Raises Unavailable when the provider is disabled or its key cannot be read, InvalidInput for
    tools of the client's where the model cannot call any, and where words that read like orders
    are blocked.
    """
    provider = row.provider
    if not provider.enabled:
        raise Unavailable("provider_disabled", name=provider.name)
    client = ctx.services.clients.client_of(provider)
    request = options or ModelRequest(model="", messages=[])
    request.model = row.model
    if provider.provider_type in WITHOUT_TOOLS and request.tools:
        raise InvalidInput("model_without_tools", field="tools", model=row.model)
    user_id = ctx.user_id
    toolbox = await _toolbox(ctx, row, user_id)
    files = await prompt_files(ctx.services.database, row, user_id, channel)
    request.messages = _with_prompt(row, spoken, toolbox, files)
    request.max_tokens = min(request.max_tokens or row.max_output_tokens, row.max_output_tokens)
    if request.temperature is None:
        request.temperature = row.temperature
    request.thinking_level = request.thinking_level or row.thinking_level
    request.cache_key = row.id.hex
    warning: Callable[[str], str | None] = nothing_to_warn_of
    if toolbox is not None:
        warning = ctx.services.guard.warning
        _guard(ctx.services.guard, request, spoken.new)
    goes_on = continues or session_id is not None
    return Turn(
        agent=row,
        provider_type=provider.provider_type,
        provider_name=provider.name,
        client=client,
        request=request,
        new=tuple(spoken.new if goes_on else [*spoken.kept, *spoken.new]),
        before=spoken.before if goes_on else b"",
        session_id=session_id,
        continues=continues,
        session_key=session_key or _session_key(user_id, row, channel),
        user_id=user_id,
        key_id=ctx.caller.key_id,
        channel=channel,
        label=_label(spoken.new) if row.store_contents else None,
        budgets=_budgets(ctx, row, user_id),
        toolbox=toolbox,
        warning=warning,
        files=files,
    )


def _guard(guard: Guard, request: ModelRequest, new: Sequence[ModelMessage]) -> None:
    """Looks at what the user says to an agent that can act. Raises InvalidInput where such words
    are blocked; else the model is warned behind them, which nobody stores.
    """
    said = [message.text for message in new if message.role == "user"]
    for text in said:
        guard.refuse(text)
    warnings = dict.fromkeys(filter(None, map(guard.warning, said)))
    request.messages.extend(ModelMessage("user", warning) for warning in warnings)


async def _toolbox(ctx: Context, row: Target, user_id: str) -> Toolbox | None:
    if row.provider.provider_type in WITHOUT_TOOLS:
        return None
    return await ctx.services.toolboxes.toolbox(row, user_id)


def _budgets(ctx: Context, row: Target, user_id: str) -> tuple[Budget, ...]:
    """Those that are set; mostly none is."""
    caller, settings = ctx.caller, ctx.services.settings
    limits = (
        row.budget_monthly_cents,
        caller.budget_monthly_cents,
        caller.tokens_per_day,
        settings.user_budget_monthly_cents or None,
        settings.user_tokens_per_day or None,
    )
    if limits == NO_LIMITS:
        return ()
    ids = {Holder.AGENT: row.id, Holder.KEY: caller.key_id, Holder.USER: user_id}
    return tuple([
        Budget(holder, str(ids[holder]), unit, limit)
        for (holder, unit), limit in zip(LIMITS, limits, strict=True)
        if limit is not None
    ])  # fmt: skip


def _with_prompt(
    row: Target, spoken: Spoken, toolbox: Toolbox | None, files: PromptFiles | None
) -> list[ModelMessage]:
    """The agent's prompt comes first; a client's own system text follows it."""
    text = row.system_prompt
    if toolbox is not None or files is not None:
        text = system_prompt(row, toolbox, now().date(), files)
    prompt = [ModelMessage("system", text)] if text else []
    return [*prompt, *spoken.kept, *spoken.new]


def _session_key(user_id: str, row: Target, channel: str) -> str:
    """Eight random bytes: with four, as the reference gateway has, two of a user's first hundred
    thousand sessions would have met, and the second call been refused.
    """
    return f"agent:{row.key}:{channel}-{user_id[:MAX_USER_ID_BYTES]}-{urandom(8).hex()}"


def _label(new: Sequence[ModelMessage]) -> str | None:
    """The first words of the user, until somebody gives the session a better name."""
    said = next((message.text for message in new if message.role == "user"), "")
    return " ".join(said.split())[:LABEL_CHARS] or None
