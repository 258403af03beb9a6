"""Chat completions and models, and whether the server lives."""

from typing import Final

from goclaw.core.paging import PageRequest
from goclaw.models.system import Health
from goclaw.resolvers import agents, chat, system
from goclaw.rest_compat.chat import AGENT_HEADERS, complete_chat
from goclaw.rest_compat.parameters import ALL_ROWS
from goclaw.rest_compat.records import ChatCompletion, ModelRecord
from goclaw.rest_compat.route import Route
from goclaw.rest_compat.translations import CHAT_BODY

VENDOR_ERRORS: Final = (429, 502, 504)

CHAT: Final = (
    Route(
        "GET",
        "/health",
        system.get_health,
        Health,
        tag="System",
        summary="Health check",
        anonymous=True,
    ),
    Route(
        "POST",
        "/v1/chat/completions",
        chat.start_chat,
        ChatCompletion,
        tag="Chat",
        summary="OpenAI-compatible chat completions",
        description="Speaks to an agent. `model` names it: `goclaw:<id or key>`, "
        "`agent:<id or key>` or the bare key; any other name means the agent of the "
        "X-GoClaw-Agent-Id header, else the default agent. With `stream` the answer comes as "
        "server-sent events; a failure after the first of them is an event with `error`, and no "
        "`[DONE]` follows it.",
        headers={"agent": AGENT_HEADERS},
        handler=complete_chat,
        event_stream=True,
        translation=CHAT_BODY,
        body_user="user",
        openai_errors=True,
        errors=(404, 409, *VENDOR_ERRORS),
    ),
    Route(
        "GET",
        "/v1/models",
        agents.list_agents,
        ModelRecord,
        tag="Chat",
        summary="List the agents as models",
        many="data",
        constants={"object": "list"},
        fixed={"page": PageRequest(ALL_ROWS), "search": None},
        openai_errors=True,
    ),
    Route(
        "GET",
        "/v1/models/{id}",
        agents.get_agent,
        ModelRecord,
        tag="Chat",
        summary="Get an agent as a model",
        openai_errors=True,
    ),
)
