"""API keys."""

from typing import Final

from goclaw.core.paging import PageRequest
from goclaw.models.api_keys import ApiKeyView, CreatedApiKey
from goclaw.resolvers import api_keys
from goclaw.rest_compat.parameters import ALL_ROWS
from goclaw.rest_compat.route import Route

API_KEYS: Final = (
    Route(
        "GET",
        "/v1/api-keys",
        api_keys.list_api_keys,
        ApiKeyView,
        tag="API Keys",
        summary="List all API keys",
        description="Revoked and expired ones too, newest first.",
        many="",
        fixed={"page": PageRequest(ALL_ROWS)},
    ),
    Route(
        "POST",
        "/v1/api-keys",
        api_keys.create_api_key,
        CreatedApiKey,
        status=201,
        tag="API Keys",
        summary="Create a new API key",
        description="The key itself is told this once.",
        idempotent=True,
        errors=(404, 409),
    ),
    Route(
        "DELETE",
        "/v1/api-keys/{id}",
        api_keys.revoke_api_key,
        constants={"status": "revoked"},
        tag="API Keys",
        summary="Revoke an API key",
    ),
    Route(
        "POST",
        "/v1/api-keys/{id}/revoke",
        api_keys.revoke_api_key,
        constants={"status": "revoked"},
        tag="API Keys",
        summary="Revoke an API key, as older clients do",
    ),
    Route(
        "POST",
        "/v1/api-keys/{id}/rotate",
        api_keys.rotate_api_key,
        CreatedApiKey,
        tag="API Keys",
        summary="Give an API key a new secret",
        description="The new key is told this once; the old one works for `grace_s` seconds more.",
        idempotent=True,
        errors=(409,),
    ),
)
