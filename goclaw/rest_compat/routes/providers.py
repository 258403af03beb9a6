"""Model providers."""

from typing import Final

from goclaw.models.providers import ProviderModelView, ProviderVerification
from goclaw.resolvers import providers
from goclaw.rest_compat.records import ProviderRecord
from goclaw.rest_compat.route import Route
from goclaw.rest_compat.translations import PROVIDER_BODY

VENDOR_ERRORS: Final = (429, 502, 504)
BY_PROVIDER_SLUG: Final = {"id": providers.get_provider}

PROVIDERS: Final = (
    Route(
        "GET",
        "/v1/providers",
        providers.list_providers,
        ProviderRecord,
        tag="Providers",
        summary="List LLM providers",
        description="API keys are masked.",
        many="providers",
        default_limit=None,
    ),
    Route(
        "POST",
        "/v1/providers",
        providers.create_provider,
        ProviderRecord,
        status=201,
        tag="Providers",
        summary="Create LLM provider",
        translation=PROVIDER_BODY,
        errors=(409,),
    ),
    Route(
        "GET",
        "/v1/providers/{id}",
        providers.get_provider,
        ProviderRecord,
        tag="Providers",
        summary="Get provider",
    ),
    Route(
        "PUT",
        "/v1/providers/{id}",
        providers.update_provider,
        ProviderRecord,
        tag="Providers",
        summary="Update provider",
        description="Only what is sent is changed. An `api_key` of `***` or nothing keeps the "
        "key; another `api_base` or `provider_type` needs it once more.",
        constants={"status": "updated"},
        by_slug=BY_PROVIDER_SLUG,
        translation=PROVIDER_BODY,
        errors=(409,),
    ),
    Route(
        "DELETE",
        "/v1/providers/{id}",
        providers.delete_provider,
        tag="Providers",
        summary="Delete provider",
        constants={"status": "deleted"},
        by_slug=BY_PROVIDER_SLUG,
        errors=(409,),
    ),
    Route(
        "GET",
        "/v1/providers/{id}/models",
        providers.list_models,
        ProviderModelView,
        tag="Providers",
        summary="List available models",
        many="models",
        errors=VENDOR_ERRORS,
    ),
    Route(
        "POST",
        "/v1/providers/{id}/verify",
        providers.verify_provider,
        ProviderVerification,
        tag="Providers",
        summary="Verify provider connection",
        description="Asks the model for a few tokens; a refusal is `valid: false`.",
    ),
)
