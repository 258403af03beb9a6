"""Sees to tasks that agents gave one another, in every process that carries jobs: notes those
that have ended and tells results to those that did not wait. Whose each is, the database says.
"""

import asyncio
from typing import Final

from goclaw.resolvers.delegation_ends import announce_due, settle_ended, what_is_to_do
from goclaw.resolvers.services import Services

TICK_S: Final = 0.5


async def see_to_delegations(services: Services) -> None:
    """Until cancelled. Raises Unavailable when the database is away; to be begun again."""
    while True:
        todo = await what_is_to_do(services)
        if todo.ended:
            while await settle_ended(services):
                """Until none is left."""
        if todo.due:
            while await announce_due(services):
                """Until nothing is due."""
        await asyncio.sleep(TICK_S)
