"""What one worker shares among all its calls; built once by `goclaw.app`."""

from dataclasses import dataclass
from datetime import datetime

from goclaw.core.host import Host
from goclaw.core.settings import Settings
from goclaw.events.hub import EventHub
from goclaw.events.trust import Trust
from goclaw.resolvers.key_use import KeyUse
from goclaw.resolvers.refused_credentials import RefusedCredentials
from goclaw.resolvers.targets import Targets
from goclaw.resolvers.toolboxes import Toolboxes
from goclaw.runtime.clients import ModelClients
from goclaw.runtime.job_runs import JobRuns
from goclaw.runtime.lanes import Lanes
from goclaw.runtime.remote import RemoteRuns
from goclaw.runtime.runner import Runner
from goclaw.runtime.trace_export import TraceExporter
from goclaw.runtime.trace_writer import TraceWriter
from goclaw.security.edge import Edge
from goclaw.security.guard import Guard
from goclaw.security.key_cache import KeyCache
from goclaw.security.outbound import OutboundClient
from goclaw.security.places import Places
from goclaw.security.rates import Failures, Rates
from goclaw.security.scrub import Scrubber
from goclaw.security.tool_rates import ToolRates
from goclaw.security.vault import Vault
from goclaw.store.api_keys import ValidKey
from goclaw.store.database import Database
from goclaw.tools.registry import ToolRegistry
from goclaw.tools.workspace import Workspaces


@dataclass(frozen=True, slots=True)
class Services:
    host: Host
    settings: Settings
    database: Database
    hub: EventHub
    trust: Trust
    vault: Vault
    outbound: OutboundClient
    scrubber: Scrubber
    clients: ModelClients
    runner: Runner
    job_runs: JobRuns
    lanes: Lanes
    remote: RemoteRuns
    traces: TraceWriter
    exporter: TraceExporter | None
    keys: KeyCache[ValidKey]
    key_use: KeyUse
    targets: Targets
    toolboxes: Toolboxes
    tools: ToolRegistry
    workspaces: Workspaces
    edge: Edge
    rates: Rates
    tool_rates: ToolRates
    guard: Guard
    failures: Failures
    refusals: RefusedCredentials
    sockets: Places
    subscriptions: Places
    started_at: datetime
