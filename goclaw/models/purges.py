"""Forgetting a user: what is asked, and what went."""

from uuid import UUID

from goclaw.models.shapes import Shape, View


class UserPurge(Shape):
    """`delete_agents`: the user's agents go too; else a user who still has some is refused."""

    delete_agents: bool = False


class PurgedTable(View):
    """Rows of one table; anonymised ones stay for the accounts and the audit."""

    table: str
    deleted: int
    anonymised: int


class PurgeReport(View):
    """`pseudonym` stands where the user's id stood; nothing leads back from it."""

    id: UUID
    pseudonym: str
    tables: list[PurgedTable]
