"""The schema itself."""

from typing import Final

import strawberry
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig

from goclaw.schema import enums
from goclaw.schema.activity import ActivityQuery
from goclaw.schema.agents import AgentMutation, AgentQuery
from goclaw.schema.api_keys import ApiKeyMutation, ApiKeyQuery
from goclaw.schema.builtin_tools import BuiltinToolMutation, BuiltinToolQuery
from goclaw.schema.context_files import ContextFileMutation, ContextFileQuery
from goclaw.schema.cron import CronMutation, CronQuery
from goclaw.schema.delegations import DelegationMutation, DelegationQuery
from goclaw.schema.events import EventSubscription
from goclaw.schema.info import Info
from goclaw.schema.providers import ProviderMutation, ProviderQuery
from goclaw.schema.run_stops import RunStopMutation, RunStopQuery
from goclaw.schema.runs import RunMutation, RunQuery, RunSubscription
from goclaw.schema.scalars import SCALARS
from goclaw.schema.security import SecurityQuery
from goclaw.schema.sessions import SessionMutation, SessionQuery
from goclaw.schema.system import SystemQuery
from goclaw.schema.traces import TraceQuery
from goclaw.schema.usage import UsageQuery
from goclaw.schema.users import UserMutation
from goclaw.schema.web_sessions import WebSessionMutation, WebSessionQuery

assert enums.WORDS  # what it defines is used by name alone


@strawberry.type(description="What can be asked.")
class Query(
    SystemQuery,
    AgentQuery,
    ProviderQuery,
    ApiKeyQuery,
    SessionQuery,
    RunQuery,
    RunStopQuery,
    TraceQuery,
    UsageQuery,
    ActivityQuery,
    WebSessionQuery,
    SecurityQuery,
    BuiltinToolQuery,
    CronQuery,
    DelegationQuery,
    ContextFileQuery,
):
    pass


@strawberry.type(description="What can be done. Each takes one argument, `input`.")
class Mutation(
    AgentMutation,
    ProviderMutation,
    ApiKeyMutation,
    SessionMutation,
    RunMutation,
    RunStopMutation,
    UserMutation,
    WebSessionMutation,
    BuiltinToolMutation,
    CronMutation,
    DelegationMutation,
    ContextFileMutation,
):
    pass


@strawberry.type(description="What can be followed.")
class Subscription(EventSubscription, RunSubscription):
    pass


SCHEMA: Final = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    config=StrawberryConfig(info_class=Info, scalar_map=SCALARS),
)


def sdl() -> str:
    """The schema as text: what `schema.graphql` holds."""
    return print_schema(SCHEMA) + "\n"
