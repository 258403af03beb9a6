"""Context files: what they are called, and how long they and all of them together may be."""

from typing import Final

AGENTS: Final = "AGENTS.md"
SOUL: Final = "SOUL.md"
IDENTITY: Final = "IDENTITY.md"
USER: Final = "USER.md"
USER_PREDEFINED: Final = "USER_PREDEFINED.md"
BOOTSTRAP: Final = "BOOTSTRAP.md"
TOOLS: Final = "TOOLS.md"

NAMES: Final = (AGENTS, SOUL, IDENTITY, USER, USER_PREDEFINED, BOOTSTRAP, TOOLS)
"""There are no others."""
OWN: Final = frozenset({USER, BOOTSTRAP})
"""Each user's own with any agent: what an agent has of these is where a new user's begin."""

MAX_FILE_CHARS: Final = 20_000
MAX_PROMPT_CHARS: Final = 24_000
"""Of all files in one prompt; what is too much is cut there."""
