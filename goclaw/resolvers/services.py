"""What one worker shares among all its calls; built once by `goclaw.app`."""

from dataclasses import dataclass
from datetime import datetime

from goclaw.core.host import Host
from goclaw.core.settings import Settings
from goclaw.events.hub import EventHub
from goclaw.resolvers.key_use import KeyUse
from goclaw.resolvers.refused_credentials import RefusedCredentials
from goclaw.runtime.clients import ModelClients
from goclaw.runtime.remote import RemoteRuns
from goclaw.runtime.runner import Runner
from goclaw.runtime.trace_writer import TraceWriter
from goclaw.security.edge import Edge
from goclaw.security.outbound import OutboundClient
from goclaw.security.places import Places
from goclaw.security.rates import Failures, Rates
from goclaw.security.vault import Vault
from goclaw.store.database import Database


@dataclass(frozen=True, slots=True)
class Services:
    host: Host
    settings: Settings
    database: Database
    hub: EventHub
    vault: Vault
    outbound: OutboundClient
    clients: ModelClients
    runner: Runner
    remote: RemoteRuns
    traces: TraceWriter
    key_use: KeyUse
    edge: Edge
    rates: Rates
    failures: Failures
    refusals: RefusedCredentials
    sockets: Places
    subscriptions: Places
    started_at: datetime
