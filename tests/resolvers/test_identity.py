"""What no single part of the server decides: who somebody is, where several parts meet."""

import pytest

from goclaw.core.callers import Scope
from goclaw.core.errors import Forbidden, InvalidInput
from goclaw.core.host import Host
from goclaw.models.api_keys import ApiKeyCreate
from goclaw.resolvers.api_keys import create_api_key
from goclaw.resolvers.context import Context
from goclaw.resolvers.enter import Credential, enter
from goclaw.resolvers.services import Services
from tests.support.callers import context


def root(services: Services) -> Context:
    return context(services, None, Scope.ADMIN)


async def key_of(services: Services, *scopes: Scope, **more: object) -> str:
    data = ApiKeyCreate(name="k", scopes=list(scopes), **more)
    return (await create_api_key(root(services), data)).key


async def came_in(services: Services, token: str | None, **more: str) -> Context:
    return await enter(services, Credential(token, **more), "test")


class TestTheServerItself:
    """`system` owns what the administrator and the server wrote in nobody's name."""

    @pytest.mark.parametrize("named", ["user_id", "body_user"])
    async def test_weakness_13_no_user_is_called_like_it(
        self, services: Services, named: str
    ) -> None:
        token = await key_of(services, Scope.WRITE)
        with pytest.raises(Forbidden) as refused:
            await came_in(services, token, **{named: "system"})
        assert refused.value.code == "user_reserved"

    async def test_no_key_is_bound_to_it(self, services: Services) -> None:
        with pytest.raises(InvalidInput) as refused:
            await key_of(services, Scope.WRITE, user_id="system")
        assert refused.value.code == "user_reserved"

    async def test_a_key_that_was_bound_to_it_before_opens_nothing(
        self, services: Services
    ) -> None:
        token = await key_of(services, Scope.WRITE, user_id="ada")
        await services.database.pool.execute("update api_keys set user_id = 'system'")
        with pytest.raises(Forbidden):
            await came_in(services, token)

    async def test_the_administrator_may_be_it(self, services: Services) -> None:
        token = await key_of(services, Scope.ADMIN)
        ctx = await came_in(services, token, user_id="system")
        assert ctx.caller.actor == "system"


class TestAnOpenServer:
    @pytest.fixture
    def host(self, host: Host) -> Host:
        settings = host.settings.model_copy(update={"gateway_token": None})
        return Host(settings, host.dsn, host.started_at)

    async def test_nobody_is_the_server_itself(self, services: Services) -> None:
        with pytest.raises(Forbidden):
            await came_in(services, None, user_id="system")
