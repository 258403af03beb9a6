"""Bodies that are written otherwise here than the operations' shapes."""

from dataclasses import replace
from typing import Any, Final

from goclaw.models.builtin_tools import BuiltinToolPatch, BuiltinToolView
from goclaw.models.chat import MAX_MESSAGES
from goclaw.models.providers import ProviderType
from goclaw.resolvers.providers import get_provider
from goclaw.rest_compat.parameters import NO_NUL
from goclaw.rest_compat.records import MASK
from goclaw.rest_compat.route import Translation

AGENT_NAMES: Final = {"agent_key": "key", "name": "key"}
SERVER_OWNED: Final = frozenset({"id", "owner_id", "provider_id", "created_at", "updated_at"})
RECORD_ONLY: Final = frozenset({"restrict_to_workspace", "workspace", "key", "ok"})
PROVIDER: Final[dict[str, Any]] = {
    "type": "string",
    "description": "Name or id of the provider; the default agent's when left out.",
}
KEPT_KEY: Final = frozenset({"", MASK})
VENDORS: Final[dict[str, Any]] = {
    "type": "string",
    "enum": [kind.value for kind in ProviderType if kind is not ProviderType.LOCAL],
}

API_BASE: Final[dict[str, Any]] = {
    "anyOf": [
        {
            "type": "string",
            "maxLength": 2000,
            "pattern": r"^(https?://[A-Za-z0-9.-]+(:[1-9][0-9]{0,3})?(/[A-Za-z0-9._/-]*)?)?$",
        },
        {"type": "null"},
    ],
    "description": "Address of the vendor's interface; the vendor's own when left out.",
}

AGENT_BODY: Final = Translation(
    names=AGENT_NAMES,
    ignored=SERVER_OWNED | RECORD_ONLY,
    references={"provider": ("provider_id", get_provider)},
    not_sent={"provider": frozenset({""})},
    schema={"provider": PROVIDER},
    rules={"not": {"required": ["name", "agent_key"]}},
)
NEW_AGENT: Final = replace(
    AGENT_BODY, rules={"oneOf": [{"required": ["name"]}, {"required": ["agent_key"]}]}
)
PROVIDER_BODY: Final = Translation(
    ignored=frozenset({"id", "source", "has_api_key", "created_at", "updated_at", "status"}),
    not_sent={"api_key": KEPT_KEY, "api_base": frozenset({""})},
    schema={"provider_type": VENDORS, "api_base": API_BASE},
)

TOOL_BODY: Final = Translation(
    ignored=(frozenset(BuiltinToolView.model_fields) | {"status"})
    - frozenset(BuiltinToolPatch.model_fields)
)


def _one_of_roles(*roles: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(roles)}


def _component(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


TEXT: Final[dict[str, Any]] = {"type": "string", "pattern": r"^[^\u0000]+$"}
NAME: Final[dict[str, Any]] = {"type": ["string", "null"], "maxLength": 255, "pattern": NO_NUL}
SAID: Final[dict[str, Any]] = {
    "anyOf": [
        TEXT,
        {
            "type": "array",
            "minItems": 1,
            "items": {"anyOf": [_component("TextContent"), _component("ImageContent")]},
        },
    ]
}
CALLS: Final[dict[str, Any]] = {
    "type": "array",
    "minItems": 1,
    "items": _component("CalledTool"),
}
MESSAGES: Final[dict[str, Any]] = {
    "type": "array",
    "minItems": 1,
    "maxItems": MAX_MESSAGES,
    "items": {
        "anyOf": [
            {
                "type": "object",
                "required": ["role", "content"],
                "properties": {
                    "role": _one_of_roles("system", "developer", "user", "assistant"),
                    "content": SAID,
                    "name": NAME,
                },
            },
            {
                "type": "object",
                "required": ["role", "tool_calls"],
                "properties": {
                    "role": _one_of_roles("assistant"),
                    "content": {"type": ["string", "null"], "pattern": NO_NUL},
                    "name": NAME,
                    "tool_calls": CALLS,
                },
            },
            {
                "type": "object",
                "required": ["role", "content", "tool_call_id"],
                "properties": {
                    "role": _one_of_roles("tool"),
                    "content": SAID,
                    "tool_call_id": {"type": "string", "maxLength": 255, "pattern": NO_NUL},
                },
            },
        ]
    },
}
CHAT_BODY: Final = Translation(schema={"messages": MESSAGES})
"""The body is read as it is; its documentation says more of what each role has to say."""
