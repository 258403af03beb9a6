"""Callers of every kind, as the documents tell them apart."""

from dataclasses import dataclass

from goclaw.core.callers import Scope

READ, WRITE, ADMIN = Scope.READ, Scope.WRITE, Scope.ADMIN
OWNERS = frozenset({"boss"})
"""As the server's settings name them."""
IMPLIED = {
    Scope.READ: {Scope.READ},
    Scope.WRITE: {Scope.WRITE, Scope.READ},
    Scope.APPROVALS: {Scope.APPROVALS},
    Scope.PAIRING: {Scope.PAIRING},
    Scope.ADMIN: set(Scope),
}


@dataclass(frozen=True, slots=True)
class Persona:
    """`granted` None is nobody; `bound` is the user of the key, `named` that of the header."""

    granted: frozenset[Scope] | None
    named: str | None = None
    bound: str | None = None

    @property
    def user(self) -> str | None:
        return self.bound or self.named

    @property
    def scopes(self) -> set[Scope]:
        return {implied for scope in self.granted or () for implied in IMPLIED[scope]}

    @property
    def sees_all(self) -> bool:
        return self.user in OWNERS or (ADMIN in self.scopes and self.user is None)


def key(*scopes: Scope, named: str | None = None, bound: str | None = None) -> Persona:
    return Persona(frozenset(scopes), named, bound)


PERSONAS: dict[str, Persona] = {
    "anonymous": Persona(None),
    "viewer": key(READ, named="ada"),
    "viewer of no user": key(READ),
    "operator": key(WRITE, named="ada"),
    "operator of no user": key(WRITE),
    "pairing only": key(Scope.PAIRING, named="ada"),
    "approvals only": key(Scope.APPROVALS, named="ada"),
    "pairing and approvals": key(Scope.PAIRING, Scope.APPROVALS, bound="ada"),
    "admin": key(ADMIN),
    "admin as bob": key(ADMIN, named="bob"),
    "admin as owner": key(ADMIN, named="boss"),
    "owner": key(WRITE, bound="boss"),
    "owner who reads": key(READ, bound="boss"),
    "ada": key(WRITE, bound="ada"),
    "bob": key(WRITE, bound="bob"),
    "eve": key(WRITE, bound="eve"),
    "ada as bob": key(WRITE, bound="ada", named="bob"),
    "bob as owner": key(WRITE, named="boss"),
    "bob as ada by name": key(WRITE, bound="bob", named="ada"),
}
