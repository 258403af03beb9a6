"""Every operation of this door, by method and path."""

from typing import Final

from goclaw.rest_compat.routes.agents import AGENTS
from goclaw.rest_compat.routes.api_keys import API_KEYS
from goclaw.rest_compat.routes.builtin_tools import BUILTIN_TOOLS
from goclaw.rest_compat.routes.chat import CHAT
from goclaw.rest_compat.routes.history import HISTORY
from goclaw.rest_compat.routes.providers import PROVIDERS
from goclaw.rest_compat.routes.sign_in import SIGN_IN

ROUTES: Final = (
    *CHAT,
    *API_KEYS,
    *AGENTS,
    *PROVIDERS,
    *HISTORY,
    *BUILTIN_TOOLS,
    *SIGN_IN,
)
