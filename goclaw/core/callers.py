"""Who is calling and what that allows."""

from enum import StrEnum
from functools import cache
from typing import NamedTuple
from uuid import UUID


class Scope(StrEnum):
    """The five documented scopes of a credential."""

    ADMIN = "operator.admin"
    READ = "operator.read"
    WRITE = "operator.write"
    APPROVALS = "operator.approvals"
    PAIRING = "operator.pairing"


class Role(StrEnum):
    """What a set of scopes amounts to, weakest first."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


IMPLIED = {
    Scope.ADMIN: frozenset(Scope),
    Scope.WRITE: frozenset({Scope.WRITE, Scope.READ}),
}

SYSTEM = "system"
"""The actor of the server itself and of an administrator who names no user."""

LOCAL_USER = "local"
"""The user of a server without a gateway token."""


def effective(scopes: frozenset[Scope]) -> frozenset[Scope]:
    """The given scopes and those they imply."""
    return scopes.union(*(IMPLIED.get(scope, frozenset()) for scope in scopes))


class Caller(NamedTuple):
    """`scopes` hold what they imply; `user_id` is None when nobody was named; `agent_ids` are
    the only agents a bound key reaches; `session_id` is of the signed-in page that called;
    the limits are the credential's own. A tuple, as every call makes one, and a frozen dataclass
    takes three times as long.
    """

    scopes: frozenset[Scope]
    user_id: str | None
    key_id: UUID | None = None
    is_owner: bool = False
    agent_ids: frozenset[UUID] | None = None
    session_id: UUID | None = None
    rate_limit_per_minute: int | None = None
    budget_monthly_cents: int | None = None
    tokens_per_day: int | None = None

    @property
    def role(self) -> Role:
        if Scope.ADMIN in self.scopes:
            return Role.ADMIN
        if self.scopes & {Scope.WRITE, Scope.APPROVALS, Scope.PAIRING}:
            return Role.OPERATOR
        return Role.VIEWER

    @property
    def sees_all(self) -> bool:
        """An admin credential without a user, and a gateway owner, see every row."""
        return self.is_owner or (Scope.ADMIN in self.scopes and self.user_id is None)

    def reaches(self, agent_id: UUID | None) -> bool:
        """What is of no agent is out of reach of a bound key, too."""
        return self.agent_ids is None or agent_id in self.agent_ids

    @property
    def actor(self) -> str:
        """What activity rows and `created_by` columns say."""
        return self.user_id or SYSTEM


@cache
def system_caller() -> Caller:
    """The server itself, or its administrator at the command line."""
    return Caller(scopes=frozenset(Scope), user_id=None)
