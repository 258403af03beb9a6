"""Callers of each role on a server that is only known by its address, and what they may be told."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit

from goclaw.core.callers import Scope
from tests.doors.personas import IMPLIED
from tests.upstream import ScriptedUpstream

ZOES: Final = "zoes-nightingale"
"""Stands in rows of a user who shares nothing."""
UNBOUND: Final = "adas-heron"
"""Stands in a row of ada's that her bound key is not for."""
TIMEOUT_S: Final = 30


@dataclass(frozen=True, slots=True)
class Role:
    """`granted` is empty for nobody. `secrets` are words that no answer may hold; `ids` belong to
    rows of everybody, to be asked for.
    """

    name: str
    token: str | None
    user_id: str | None
    granted: tuple[str, ...]
    bound: bool
    secrets: tuple[str, ...]
    ids: tuple[str, ...]

    @property
    def scopes(self) -> frozenset[Scope]:
        return frozenset(implied for scope in self.granted for implied in IMPLIED[Scope(scope)])

    @property
    def headers(self) -> dict[str, str]:
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return headers if self.user_id is None else {**headers, "X-GoClaw-User-Id": self.user_id}

    def written(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def read(text: str) -> "Role":
        fields = json.loads(text)
        lists = {name: tuple(fields[name]) for name in ("granted", "secrets", "ids")}
        return Role(**{**fields, **lists})


class Administrator:
    """Prepares a server with the gateway token."""

    def __init__(self, url: str, token: str) -> None:
        self._address = urlsplit(url)
        self._token = token

    def ask(self, method: str, path: str, body: Any, user_id: str | None = None) -> Any:
        named = {} if user_id is None else {"X-GoClaw-User-Id": user_id}
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            **named,
        }
        connection = HTTPConnection(
            self._address.hostname or "", self._address.port, timeout=TIMEOUT_S
        )
        try:
            connection.request(method, path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status < 300, (method, path, answer.status, text)
            return json.loads(text)
        finally:
            connection.close()

    def graphql(self, query: str, user_id: str, **variables: Any) -> Any:
        answer = self.ask("POST", "/graphql", {"query": query, "variables": variables}, user_id)
        assert "errors" not in answer, answer
        return answer["data"]

    def key(self, *scopes: Scope, **more: Any) -> Any:
        return self.ask("POST", "/v1/api-keys", {"name": "fuzz", "scopes": scopes, **more})

    def agent(self, key: str, user_id: str, told: str) -> str:
        body = {
            "agent_key": key,
            "provider": "scripted",
            "model": "scripted-1",
            "system_prompt": told,
        }
        made: str = self.ask("POST", "/v1/agents", body, user_id)["id"]
        return made

    def conversation(self, agent: str, user_id: str, said: str) -> list[str]:
        """The ids of what came of it."""
        sent = self.graphql(SEND, user_id, agent=agent, text=said)["sendMessage"]
        return [sent["id"], sent["sessionId"], sent["traceId"]]


SEND: Final = """mutation ($agent: UUID!, $text: String!) {
  sendMessage(input: {agentId: $agent, text: $text}) { id sessionId traceId }
}"""


def prepared(url: str, token: str, upstream: ScriptedUpstream) -> dict[str, Role]:
    """Rows of ada and zoe, and a key of each role. Asks from outside, so not from the event loop
    that serves it.
    """
    admin = Administrator(url, token)
    provider = {
        "name": "scripted",
        "provider_type": "openai_compat",
        "api_base": upstream.base_url(),
        "api_key": "sk-upstream-secret",
        "settings": {"max_attempts": 1, "breaker_failures": 0},
    }
    ids = [admin.ask("POST", "/v1/providers", provider)["id"]]
    zoes = admin.agent("zoes", "zoe", ZOES)
    adas = admin.agent("adas", "ada", UNBOUND)
    bound = admin.agent("scribe", "ada", "Write.")
    ids += [zoes, adas, bound, *admin.conversation(zoes, "zoe", ZOES)]
    ids += admin.conversation(adas, "ada", UNBOUND) + admin.conversation(bound, "ada", "Hello?")
    ids.append(admin.key(Scope.READ)["id"])
    keys: Mapping[str, tuple[Scope, str | None, dict[str, Any]]] = {
        "viewer": (Scope.READ, "ada", {}),
        "operator": (Scope.WRITE, None, {"user_id": "ada"}),
        "pairing only": (Scope.PAIRING, "ada", {}),
        "approvals only": (Scope.APPROVALS, "ada", {}),
        "admin": (Scope.ADMIN, None, {}),
        "bound key": (Scope.WRITE, None, {"user_id": "ada", "agent_ids": [bound]}),
    }
    roles = {"anonymous": Role("anonymous", None, None, (), False, (ZOES, UNBOUND), tuple(ids))}
    for name, (scope, user_id, more) in keys.items():
        secrets = {"admin": (), "bound key": (ZOES, UNBOUND)}.get(name, (ZOES,))
        secret = admin.key(scope, **more)["key"]
        is_bound = "agent_ids" in more
        roles[name] = Role(name, secret, user_id, (scope,), is_bound, secrets, tuple(ids))
    return roles
