"""What the file tools do with context files: what is the run's user's to read and to write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from goclaw.core.callers import Caller
from goclaw.core.context_files import BOOTSTRAP, OWN, SOUL
from goclaw.core.errors import Forbidden, NotFound
from goclaw.models.agents import Agent, AgentType
from goclaw.models.context_files import ContextFileWrite
from goclaw.models.parsing import parse_shape
from goclaw.resolvers.agent_instances import announce_user_file
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.context_files import announce_file
from goclaw.resolvers.conversations import SCOPES
from goclaw.resolvers.first_contact import met
from goclaw.resolvers.services import Services
from goclaw.runtime.context_files import files_in_effect
from goclaw.store.context_files import (
    held_in,
    instance_to_change,
    write_agent_file,
    write_user_file,
)
from goclaw.store.database import Db
from goclaw.store.targets import Target
from goclaw.tools.context_files import OwnFiles
from goclaw.tools.tool import ToolContext


@dataclass
class OwnContextFiles:
    """`services` are given once they are all there, as tools are among them."""

    services: Services | None = None

    async def of(self, ctx: ToolContext) -> OwnFiles | None:
        """Raises NotFound for an agent that is not there for the user any more."""
        assert self.services is not None
        caller = Caller(SCOPES, ctx.user_id, agent_ids=frozenset({ctx.agent_id}))
        user = Context(self.services, caller, str(ctx.run_id))
        # As tools are asked for, so that it is remembered.
        reads = self.services.database.reads(Caller(SCOPES, ctx.user_id))
        agent = await self.services.targets.find(
            reads, id=ctx.agent_id, key=str(ctx.agent_id), or_default=False
        )
        if agent is None:
            raise NotFound("agent_not_found", id=ctx.agent_id)
        if not agent.uses_context_files:
            return None
        held = await met(self.services.database, agent, ctx.user_id)
        return FilesOfUser(user, agent, files_in_effect(agent.agent_type, held))


@dataclass(frozen=True, slots=True)
class FilesOfUser:
    ctx: Context
    agent: Target
    texts: Mapping[str, str]

    @property
    def sealed(self) -> bool:
        """Whether the agent is the same for everybody."""
        return self.agent.agent_type == AgentType.PREDEFINED

    def readable(self) -> Mapping[str, str]:
        return {n: text for n, text in self.texts.items() if not self.sealed or n in OWN}

    def read(self, name: str) -> str | None:
        if self.sealed and name not in OWN:
            raise Forbidden("context_file_shared", name=name)
        return self.texts.get(name)

    async def change(self, name: str, change: Callable[[str | None], str]) -> None:
        if self.sealed and not self._may_write(name):
            raise Forbidden("context_file_shared", name=name)
        async with self.ctx.db() as db:
            if self.sealed and name == SOUL:
                await self._change_shared(db, name, change)
            else:
                await self._change_own(db, name, change)

    def _checked(self, name: str, text: str) -> str:
        """One of blanks alone is empty. Raises InvalidInput, also for words that read like orders
        where a user may not say such either: they would stand in every later prompt.
        """
        content = text if text.strip() else ""
        parse_shape(ContextFileWrite, {"name": name, "content": content})
        self.ctx.services.guard.refuse(content)
        return content

    def _may_write(self, name: str) -> bool:
        return name in OWN or (name == SOUL and self.agent.self_evolve)

    async def _change_own(self, db: Db, name: str, change: Callable[[str | None], str]) -> None:
        user_id = self.ctx.user_id
        instance = found(
            await instance_to_change(db, self.agent.id, user_id), "agent_instance", user_id
        )
        held = await held_in(db, self.agent.id, user_id)
        text = self._checked(name, change(files_in_effect(self.agent.agent_type, held).get(name)))
        if self.sealed and name == BOOTSTRAP and text:
            raise Forbidden("bootstrap_sealed", name=name)
        row = await write_user_file(db, self.agent.id, user_id, name, text)
        agent = found(await db.get(Agent, self.agent.id), "agent", self.agent.id)
        announce_user_file(self.ctx, db, agent, instance, row)

    async def _change_shared(self, db: Db, name: str, change: Callable[[str | None], str]) -> None:
        """For all users; of the file itself, as it is when nobody else changes it."""
        agent = found(
            await db.get(Agent, self.agent.id, with_for_update=True), "agent", self.agent.id
        )
        held = await held_in(db, self.agent.id, self.ctx.user_id)
        row = await write_agent_file(
            db, self.agent.id, name, self._checked(name, change(held.of_agent.get(name)))
        )
        announce_file(self.ctx, db, agent, row)
