"""A server that takes whatever comes, however often."""

import pytest

from goclaw.core.settings import Settings

UNLIMITED = {
    "rate_per_address": 0,
    "rate_per_credential": 0,
    "rate_per_user": 0,
    "failures_per_address": 0,
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update=UNLIMITED)
