"""From a cron job to what its agent is asked."""

from uuid import UUID

from goclaw.core.errors import Conflict
from goclaw.models.cron import CronJob
from goclaw.resolvers.context import Context
from goclaw.resolvers.runs import spoken_turn
from goclaw.resolvers.turns import chat_target
from goclaw.runtime.live import Turn
from goclaw.store.sessions import session_by_key
from goclaw.tools.cron import CRON


async def cron_turn(owner: Context, job: CronJob, run_id: UUID) -> Turn:
    """`owner` acts for whoever the job belongs to. Raises NotFound for an agent that is gone, not
    active or not the user's to use any more, Conflict for one that stores no contents,
    Unavailable while all runs are stopped.
    """
    agent = await chat_target(owner, job.agent_id, or_default=False)
    if not agent.store_contents:
        raise Conflict("cron_stores_nothing", key=agent.key)
    key = job.session_of(agent.key, run_id)
    session = await session_by_key(owner.reads, agent.id, owner.user_id, key)
    return await spoken_turn(owner, agent.id, session, job.message, channel=CRON, session_key=key)
