from uuid import UUID

import strawberry

from goclaw.models import purges as models
from goclaw.resolvers.purges import purge_user
from goclaw.schema.field import described, input_of, mutation, parse
from goclaw.schema.info import Info
from goclaw.schema.words import In

WORDS = {"delete_agents": "Whether the user's agents go too; else a user who has some is refused."}


@strawberry.type(description="Rows of one table that were about a user.")
class PurgedTable:
    table: str = described("The table.")
    deleted: int = described("Rows that are gone.")
    anonymised: int = described("Rows that stay, for accounts and audit, under the pseudonym.")


@strawberry.type(description="What became of a user's data.")
class PurgeReport:
    id: UUID = described("The entity of the audit row.")
    pseudonym: str = described("What stands where the user's id stood.")
    tables: list[PurgedTable] = described("What went, by table.")


@input_of(models.UserPurge, WORDS, "The user whose data is to go.")
class PurgeUserInput:
    user_id: str = described("The user.")


@strawberry.type
class UserMutation:
    @mutation(
        PurgeReport,
        "Deletes what a user said and did, and revokes the user's keys. Figures of runs stay.",
    )
    async def purge_user(self, info: Info, input: In[PurgeUserInput]) -> models.PurgeReport:
        data = parse(models.UserPurge, input)
        return await purge_user(info.context, input.user_id, data)
