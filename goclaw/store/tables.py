"""All tables, so that the metadata is complete wherever this is imported."""

from typing import Final

from sqlmodel import SQLModel

from goclaw.models.activity import Activity
from goclaw.models.agents import Agent, AgentShare
from goclaw.models.api_keys import ApiKey
from goclaw.models.budgets import BudgetWarning
from goclaw.models.builtin_tools import BuiltinTool
from goclaw.models.chores import Chore
from goclaw.models.context_files import AgentContextFile, AgentInstance, UserContextFile
from goclaw.models.cron import CronJob, CronRun
from goclaw.models.delegations import AgentLink, Delegation
from goclaw.models.events import Event, FanoutPayload
from goclaw.models.idempotency import IdempotentRequest
from goclaw.models.providers import Provider
from goclaw.models.run_stops import RunStop
from goclaw.models.runs import Run
from goclaw.models.sessions import Message, Session
from goclaw.models.traces import Span, Trace
from goclaw.models.trust import TrustEpoch, TrustingWorker
from goclaw.models.usage import UsageCounted, UsageDay, UsageHour
from goclaw.models.web_sessions import WebSession

TABLES: Final[tuple[type[SQLModel], ...]] = (
    Provider,
    Agent,
    AgentShare,
    ApiKey,
    WebSession,
    Session,
    Message,
    Run,
    Trace,
    Span,
    Activity,
    Event,
    FanoutPayload,
    IdempotentRequest,
    TrustEpoch,
    TrustingWorker,
    UsageDay,
    BuiltinTool,
    UsageHour,
    UsageCounted,
    Chore,
    BudgetWarning,
    RunStop,
    CronJob,
    CronRun,
    AgentLink,
    Delegation,
    AgentContextFile,
    UserContextFile,
    AgentInstance,
)
