"""The closed sets of the schema: enums of `models` and `core` with a word on each value."""

from enum import StrEnum
from typing import Final

from strawberry.types.enum import EnumValue, StrawberryEnumDefinition

from goclaw.core.callers import Role, Scope
from goclaw.core.schedules import ScheduleKind
from goclaw.models.agents import AgentStatus, AgentType, ShareRole
from goclaw.models.cron import CronRunStatus, CronTrigger, DeliveryStatus
from goclaw.models.delegations import (
    DelegationKind,
    DelegationMode,
    DelegationStatus,
    LinkDirection,
    LinkStatus,
)
from goclaw.models.findings import FindingStatus
from goclaw.models.providers import BreakerState, ProviderSource, ProviderType
from goclaw.models.runs import RunStatus
from goclaw.models.sessions import MessageRole
from goclaw.models.system import Authentication
from goclaw.models.traces import SpanType
from goclaw.models.usage import UsageGroup, UsagePeriod, UsageStep

WORDS: Final[dict[type[StrEnum], tuple[str, dict[str, str]]]] = {
    Role: (
        "What a set of scopes amounts to.",
        {
            "VIEWER": "May read, or has no scope that says otherwise.",
            "OPERATOR": "May write, approve or pair.",
            "ADMIN": "May do everything.",
        },
    ),
    Scope: (
        "What a credential may do.",
        {
            "ADMIN": "Everything, keys and settings included.",
            "READ": "Read.",
            "WRITE": "Write and chat; includes READ.",
            "APPROVALS": "Approve what an agent asks for; includes nothing else.",
            "PAIRING": "Pair channels; includes nothing else.",
        },
    ),
    Authentication: (
        "How callers are told apart.",
        {
            "TOKEN": "A gateway token is configured.",
            "OPEN": "None is: the server listens on loopback only and everybody is an operator.",
        },
    ),
    FindingStatus: (
        "How something is that was looked at.",
        {
            "OK": "Good.",
            "INFO": "Neither good nor bad; to be known.",
            "WARNING": "To be looked at.",
            "FAILED": "To be mended.",
        },
    ),
    DelegationKind: (
        "Who works on a task that an agent gave.",
        {"SPAWN": "A copy of the agent itself.", "DELEGATE": "Another agent."},
    ),
    DelegationMode: (
        "Whether the run that gave a task waits.",
        {"SYNC": "It waits for the result.", "ASYNC": "It is told the result later."},
    ),
    DelegationStatus: (
        "Where a task stands.",
        {
            "RUNNING": "It waits for its turn, or is worked on.",
            "COMPLETED": "There is a result.",
            "FAILED": "It could not be done.",
            "CANCELLED": "Somebody stopped it.",
        },
    ),
    LinkDirection: (
        "Which of two linked agents may ask the other.",
        {
            "OUTBOUND": "The source may ask the target.",
            "INBOUND": "The target may ask the source.",
            "BIDIRECTIONAL": "Each may ask the other.",
        },
    ),
    LinkStatus: (
        "Whether a link may be used.",
        {"ACTIVE": "It may.", "DISABLED": "It may not."},
    ),
    AgentType: (
        "Who shapes an agent.",
        {
            "OPEN": "Each user shapes it.",
            "PREDEFINED": "All users share one persona.",
        },
    ),
    AgentStatus: (
        "Whether an agent answers.",
        {
            "ACTIVE": "It answers.",
            "INACTIVE": "It is switched off.",
            "SUMMONING": "It is being made.",
            "SUMMON_FAILED": "Making it failed.",
        },
    ),
    ShareRole: (
        "What another user may do with a shared agent.",
        {
            "USER": "Talk to it.",
            "OPERATOR": "Talk to it.",
            "ADMIN": "Talk to it, change it and share it.",
        },
    ),
    ProviderType: (
        "What a provider speaks.",
        {
            "ANTHROPIC_NATIVE": "Anthropic's Messages API.",
            "OPENAI_COMPAT": "OpenAI's chat completions, which many vendors offer.",
            "GEMINI_NATIVE": "Google's Gemini API.",
            "GROQ": "Groq.",
            "DEEPSEEK": "DeepSeek.",
            "MISTRAL": "Mistral.",
            "XAI": "xAI.",
            "OLLAMA": "Ollama.",
            "LOCAL": "The small model embedded in the server.",
        },
    ),
    ProviderSource: (
        "Where a provider comes from.",
        {
            "API": "A caller made it.",
            "ENVIRONMENT": "Its key is in the server's environment; read-only.",
            "EMBEDDED": "The local model; read-only.",
        },
    ),
    BreakerState: (
        "Whether calls to a provider go through.",
        {
            "CLOSED": "They do.",
            "OPEN": "It failed too often: they are refused for a while.",
            "HALF_OPEN": "The next one is let through, to see.",
        },
    ),
    RunStatus: (
        "Where a run stands.",
        {
            "QUEUED": "It waits for a worker, or for its session to be free.",
            "RUNNING": "The model is answering.",
            "COMPLETED": "It was answered.",
            "ERROR": "It failed.",
            "CANCELLED": "It was cancelled, or its client hung up.",
        },
    ),
    ScheduleKind: (
        "What the times of a cron job are told by.",
        {
            "AT": "An instant: once.",
            "EVERY": "An interval, counted from when it was set, so that it does not drift.",
            "CRON": "A cron expression, read in a time zone.",
        },
    ),
    CronTrigger: (
        "What made a cron job run.",
        {"DUE": "It was due.", "MANUAL": "Somebody asked for it."},
    ),
    CronRunStatus: (
        "What came of one time of a cron job.",
        {
            "STARTED": "Its run waits or goes on.",
            "COMPLETED": "It was answered.",
            "ERROR": "It failed.",
            "CANCELLED": "Its run was cancelled.",
            "SKIPPED": "It was not to run then, or came too late.",
        },
    ),
    DeliveryStatus: (
        "Whether an answer was posted.",
        {
            "PENDING": "Not yet.",
            "DELIVERED": "It was.",
            "FAILED": "It was not, and is not tried any more.",
        },
    ),
    MessageRole: (
        "Who speaks.",
        {
            "SYSTEM": "Instructions.",
            "USER": "The user.",
            "ASSISTANT": "The agent.",
            "TOOL": "The result of a tool call.",
        },
    ),
    SpanType: (
        "What a step of a trace is.",
        {
            "LLM_CALL": "One call of a model.",
            "TOOL_CALL": "One call of a tool.",
            "AGENT": "The turn of an agent, with the steps within it.",
            "EMBEDDING": "One call of an embedding model.",
            "EVENT": "Something that happened at one instant.",
        },
    ),
    UsagePeriod: (
        "A span of time up to now.",
        {
            "HOUR": "60 minutes.",
            "DAY": "24 hours.",
            "TODAY": "Since midnight, in UTC.",
            "WEEK": "7 days.",
            "MONTH": "30 days.",
        },
    ),
    UsageStep: (
        "How usage is cut into points.",
        {
            "HOUR": "By the hour.",
            "DAY": "By the day, in UTC.",
        },
    ),
    UsageGroup: (
        "What usage is told apart by.",
        {
            "PROVIDER": "The provider that was asked.",
            "MODEL": "The model that was asked.",
            "CHANNEL": "Where it was asked.",
            "AGENT": "The agent.",
        },
    ),
}


def _define(enum: type[StrEnum], description: str, words: dict[str, str]) -> None:
    values = [EnumValue(item.name, item.value, description=words[item.name]) for item in enum]
    definition = StrawberryEnumDefinition(enum, enum.__name__, values, description)
    enum.__strawberry_definition__ = definition  # type: ignore[attr-defined]


for _enum, (_description, _words) in WORDS.items():
    _define(_enum, _description, _words)
