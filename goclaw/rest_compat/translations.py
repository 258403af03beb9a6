"""Bodies that are written otherwise here than the operations' shapes."""

from typing import Any, Final

from goclaw.models.providers import ProviderType
from goclaw.resolvers.providers import get_provider
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

AGENT_BODY: Final = Translation(
    names=AGENT_NAMES,
    ignored=SERVER_OWNED | RECORD_ONLY,
    references={"provider": ("provider_id", get_provider)},
    not_sent={"provider": frozenset({""})},
    schema={"provider": PROVIDER},
)
PROVIDER_BODY: Final = Translation(
    ignored=frozenset({"id", "source", "has_api_key", "created_at", "updated_at", "status"}),
    not_sent={"api_key": KEPT_KEY},
    schema={"provider_type": VENDORS},
)
