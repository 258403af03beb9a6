"""The context files of a run: a user's first one with an agent begins them."""

from goclaw.runtime.context_files import PromptFiles, files_in_effect, first_user_files
from goclaw.store.context_files import Held, begin_instance, look_at_files, meet_user
from goclaw.store.database import Database
from goclaw.store.targets import Target
from goclaw.tools.cron import BEGUN_BY_NOBODY


async def met(database: Database, agent: Target, user_id: str, *, begins: bool = False) -> Held:
    """What there is once the user had first contact: one statement, unless this is it. `begins`
    is for a run of the user's own that begins.
    """
    held = await meet_user(database, agent.id, user_id, BEGUN_BY_NOBODY, counts=begins)
    if held.met:
        return held
    files = first_user_files(agent.agent_type, held.of_agent)
    await begin_instance(database, agent.id, user_id, files)
    return await look_at_files(database, agent.id, user_id)


async def prompt_files(
    database: Database, agent: Target, user_id: str, channel: str
) -> PromptFiles | None:
    """None for an agent that uses none, which costs no statement. A run that nobody began has
    nobody to be met.
    """
    if not agent.uses_context_files:
        return None
    begins = channel not in BEGUN_BY_NOBODY
    held = await met(database, agent, user_id, begins=begins)
    return PromptFiles(files_in_effect(agent.agent_type, held), begins)
