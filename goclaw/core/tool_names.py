"""Tools by name, what they are called together, and what an agent of one profile gets."""

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final, Literal, get_args

Profile = Literal["none", "minimal", "coding", "messaging", "full"]
PROFILES: Final[tuple[str, ...]] = get_args(Profile)

GROUP: Final = "group:"
MCP: Final = "mcp__"
"""What names of tools of MCP servers begin with: `mcp__<server>__<tool>`."""

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "fs": ("read_file", "write_file", "list_files", "edit"),
    "runtime": ("exec",),
    "web": ("web_search", "web_fetch"),
    "memory": ("memory_search", "memory_get", "knowledge_graph_search"),
    "media": (
        "read_image",
        "read_document",
        "read_audio",
        "read_video",
        "create_image",
        "create_video",
        "create_audio",
        "tts",
    ),
    "sessions": ("sessions_list", "session_status", "sessions_history", "sessions_send"),
    "messaging": ("message", "create_forum_topic"),
    "automation": ("cron",),
    "subagents": ("spawn",),
    "delegation": ("delegate",),
    "skills": ("skill_search", "use_skill", "publish_skill"),
    "ui": ("browser",),
    "team": ("team_tasks", "team_message", "workspace_write", "workspace_read"),
}
"""All documented tools; configurations may name those that are still to come. Besides there are
`goclaw` (all but those of MCP servers), `mcp` and `mcp:<server>`.
"""

NAMES: Final = frozenset(name for names in GROUPS.values() for name in names) | {"mcp_tool_search"}

PROFILE_ENTRIES: Final[dict[str, tuple[str, ...]]] = {
    "none": (),
    "minimal": ("session_status",),
    "coding": (
        "group:fs",
        "group:runtime",
        "group:sessions",
        "group:memory",
        "group:web",
        "read_image",
        "read_document",
        "create_image",
        "skill_search",
    ),
    "messaging": (
        "group:messaging",
        "group:web",
        "sessions_list",
        "sessions_history",
        "sessions_send",
        "session_status",
        "read_image",
        "skill_search",
    ),
    "full": ("*",),
}


@lru_cache(maxsize=4096)
def matches(entry: str, name: str) -> bool:
    """Whether an entry of a list means that tool: a name, a pattern with `*` and `?`, a group."""
    if not entry.startswith(GROUP):
        return fnmatchcase(name, entry.replace("[", "[[]"))
    group = entry.removeprefix(GROUP)
    if group == "goclaw":
        return not name.startswith(MCP)
    if group == "mcp":
        return name.startswith(MCP)
    if group.startswith("mcp:"):
        return name.startswith(f"{MCP}{group.removeprefix('mcp:')}__")
    return name in GROUPS.get(group, ())


def is_known(entry: str) -> bool:
    """Whether it can mean any tool at all. Which MCP servers there are is not known here."""
    if entry.startswith(GROUP):
        group = entry.removeprefix(GROUP)
        return group in GROUPS or group in ("goclaw", "mcp") or group.startswith("mcp:")
    if entry.startswith(MCP):
        return True
    return any(matches(entry, name) for name in NAMES | {MCP})
