"""The tools of a worker, and what they are given to work with."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from goclaw.core.callers import Caller, system_caller
from goclaw.core.settings import Settings
from goclaw.events.trust import Trust
from goclaw.resolvers.conversations import SCOPES, OwnConversations
from goclaw.resolvers.own_calendar import OwnCalendar
from goclaw.resolvers.own_files import OwnContextFiles
from goclaw.resolvers.services import Services
from goclaw.resolvers.targets import Targets
from goclaw.resolvers.tool_switches import TOOL_SWITCHES, ToolSwitches
from goclaw.resolvers.workforce import OwnWorkforce
from goclaw.security.outbound import OutboundClient
from goclaw.security.scrub import Scrubber
from goclaw.security.vault import Vault
from goclaw.store.database import Database
from goclaw.store.targets import Target
from goclaw.tools.brave import Brave
from goclaw.tools.cron import CronTool
from goclaw.tools.delegation import DelegationTools
from goclaw.tools.documents import DocumentTools
from goclaw.tools.duckduckgo import DuckDuckGo
from goclaw.tools.files import WORKSPACE, FileTools
from goclaw.tools.reading.reader import Reader
from goclaw.tools.registry import Checks, Rules, ToolRegistry
from goclaw.tools.sessions import SessionTools
from goclaw.tools.tool import Tool
from goclaw.tools.web_fetch import WebFetchTool
from goclaw.tools.web_search import WebSearchSettings, WebSearchTool
from goclaw.tools.workspace import Workspaces

WORKSPACES: Final = "workspaces"
"""The folder below the data folder."""


@dataclass(frozen=True, slots=True)
class Toolset:
    registry: ToolRegistry
    conversations: OwnConversations
    calendar: OwnCalendar
    workforce: OwnWorkforce
    context_files: OwnContextFiles
    workspaces: Workspaces

    def attach(self, services: Services) -> None:
        """Gives tools what they are a part of themselves."""
        self.conversations.services = services
        self.calendar.services = services
        self.workforce.services = services
        self.context_files.services = services


def open_toolset(
    settings: Settings,
    database: Database,
    trust: Trust,
    vault: Vault,
    outbound: OutboundClient,
    scrubber: Scrubber,
    targets: Targets,
    checks: Checks,
) -> Toolset:
    switches = ToolSwitches(database.reads(system_caller()), vault, lambda: trust.holds)
    trust.on(TOOL_SWITCHES, switches.forget)
    workspaces = Workspaces(settings.data_dir / WORKSPACES)
    conversations, calendar, workforce = OwnConversations(), OwnCalendar(), OwnWorkforce()
    context_files = OwnContextFiles()
    registry = ToolRegistry(
        [
            *FileTools(workspaces, context_files).tools(),
            *_tools(workspaces, conversations, outbound, switches),
            CronTool(calendar).tool(),
            *DelegationTools(workforce).tools(),
        ],
        facilities=[WORKSPACE] if workspaces.is_usable() else [],
        rules=Rules(settings.tools_profile, settings.tools_deny),
        scrub=scrubber.scrub,
        enabled=switches.enabled,
        again=partial(_again, database, targets),
        checks=checks,
    )
    return Toolset(registry, conversations, calendar, workforce, context_files, workspaces)


def _tools(
    workspaces: Workspaces,
    conversations: OwnConversations,
    outbound: OutboundClient,
    switches: ToolSwitches,
) -> list[Tool]:
    reader = Reader()
    search = WebSearchTool(
        {"brave": Brave(outbound), "duckduckgo": DuckDuckGo(outbound, reader)},
        partial(switches.settings_of, "web_search", WebSearchSettings),
    )
    return [
        *DocumentTools(workspaces, reader).tools(),
        *SessionTools(conversations).tools(),
        WebFetchTool(outbound, reader).tool(),
        search.tool(),
    ]


async def _again(
    database: Database, targets: Targets, agent: Target, user_id: str
) -> Target | None:
    """As chat calls find it, so that it is mostly remembered."""
    reads = database.reads(Caller(SCOPES, user_id))
    return await targets.find(reads, id=agent.id, key=str(agent.id), or_default=False)
