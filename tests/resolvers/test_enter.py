"""From credentials to callers: who gets in, as whom, with what scopes."""

from datetime import timedelta

import pytest

from goclaw.core.callers import Role, Scope
from goclaw.core.errors import Forbidden, GatewayError, InvalidInput, Unauthenticated
from goclaw.core.host import Host
from goclaw.models.api_keys import ApiKeyCreate
from goclaw.models.shapes import now
from goclaw.resolvers.api_keys import create_api_key, revoke_api_key
from goclaw.resolvers.context import Context
from goclaw.resolvers.enter import Credential, enter
from goclaw.resolvers.services import Services
from tests.conftest import TOKEN
from tests.support.callers import context


async def key(
    services: Services, *scopes: Scope, user_id: str | None = None, expires_in: int | None = None
) -> str:
    data = ApiKeyCreate(name="k", scopes=list(scopes), user_id=user_id, expires_in=expires_in)
    created = await create_api_key(context(services, None, Scope.ADMIN), data)
    return created.key


async def came_in(services: Services, token: str | None, **more: str) -> Context:
    return await enter(services, Credential(token, **more), "test")


async def test_the_gateway_token_with_a_user_sees_that_users_rows_alone(services: Services) -> None:
    ctx = await came_in(services, TOKEN, user_id="ada")
    assert (ctx.caller.role, ctx.caller.user_id, ctx.caller.sees_all) == (Role.ADMIN, "ada", False)


async def test_nobody_is_nobody(services: Services) -> None:
    assert not (await came_in(services, None)).signed_in


@pytest.mark.parametrize(
    ("scope", "role", "has", "lacks"),
    [
        (Scope.PAIRING, Role.OPERATOR, {Scope.PAIRING}, {Scope.READ, Scope.WRITE}),
        (Scope.APPROVALS, Role.OPERATOR, {Scope.APPROVALS}, {Scope.READ, Scope.WRITE}),
    ],
)
async def test_approvals_and_pairing_imply_nothing(
    services: Services, scope: Scope, role: Role, has: set[Scope], lacks: set[Scope]
) -> None:
    ctx = await came_in(services, await key(services, scope))
    assert ctx.caller.role is role
    assert has <= ctx.caller.scopes
    assert not lacks & ctx.caller.scopes


async def test_a_bound_key_is_its_user_and_nobody_else(services: Services) -> None:
    token = await key(services, Scope.WRITE, user_id="ada")
    assert (await came_in(services, token)).caller.user_id == "ada"
    assert (await came_in(services, token, body_user="bob")).caller.user_id == "ada"
    with pytest.raises(Forbidden) as refused:
        await came_in(services, token, user_id="bob")
    assert refused.value.code == "user_not_yours"


async def test_the_header_counts_more_than_the_body(services: Services) -> None:
    token = await key(services, Scope.WRITE)
    ctx = await came_in(services, token, user_id="ada", body_user="bob")
    assert ctx.caller.user_id == "ada"


async def test_revoking_counts_at_once(services: Services) -> None:
    token = await key(services, Scope.WRITE)
    ctx = await came_in(services, token)
    assert ctx.caller.key_id is not None
    await revoke_api_key(context(services, None, Scope.ADMIN), ctx.caller.key_id)
    with pytest.raises(Unauthenticated):
        await came_in(services, token)


async def test_an_expired_key_is_refused(services: Services) -> None:
    token = await key(services, Scope.WRITE, expires_in=60)
    past = now() - timedelta(seconds=1)
    await services.database.pool.execute("update api_keys set expires_at = $1", past)
    with pytest.raises(Unauthenticated):
        await came_in(services, token)


async def test_last_use_is_written_soon(services: Services) -> None:
    token = await key(services, Scope.WRITE)
    await came_in(services, token)
    await services.key_use.flush()
    used = await services.database.pool.fetchval("select last_used_at from api_keys")
    assert now() - used < timedelta(seconds=10)


@pytest.mark.parametrize("user_id", ["x" * 256, "ü" * 128, "a\x00b"])
async def test_a_bad_user_id_is_refused(services: Services, user_id: str) -> None:
    with pytest.raises(InvalidInput):
        await came_in(services, TOKEN, user_id=user_id)


class TestOwners:
    @pytest.fixture
    def host(self, host: Host) -> Host:
        settings = host.settings.model_copy(update={"owner_ids": ("boss",)})
        return Host(settings, host.dsn, host.started_at)

    async def test_the_token_and_admin_keys_may_act_as_owner(self, services: Services) -> None:
        for token in (TOKEN, await key(services, Scope.ADMIN)):
            ctx = await came_in(services, token, user_id="boss")
            assert ctx.caller.sees_all

    async def test_a_key_bound_to_the_owner_may(self, services: Services) -> None:
        token = await key(services, Scope.READ, user_id="boss")
        assert (await came_in(services, token)).caller.sees_all

    async def test_any_other_key_may_not_name_an_owner(self, services: Services) -> None:
        token = await key(services, Scope.WRITE)
        for named in ({"user_id": "boss"}, {"body_user": "boss"}):
            with pytest.raises(Forbidden):
                await came_in(services, token, **named)


class TestWithoutToken:
    @pytest.fixture
    def host(self, host: Host) -> Host:
        settings = host.settings.model_copy(update={"gateway_token": None, "owner_ids": ("boss",)})
        return Host(settings, host.dsn, host.started_at)

    @pytest.mark.parametrize("token", [None, "anything", ""])
    async def test_everybody_is_an_operator(self, services: Services, token: str | None) -> None:
        ctx = await came_in(services, token)
        assert (ctx.caller.role, ctx.caller.user_id) == (Role.OPERATOR, "local")

    async def test_a_key_still_counts_as_what_it_is(self, services: Services) -> None:
        ctx = await came_in(services, await key(services, Scope.READ))
        assert ctx.caller.role is Role.VIEWER

    async def test_a_bad_key_is_refused(self, services: Services) -> None:
        with pytest.raises(GatewayError):
            await came_in(services, "goclaw_" + "0" * 32)

    async def test_nobody_may_act_as_owner(self, services: Services) -> None:
        with pytest.raises(Forbidden):
            await came_in(services, None, user_id="boss")
