"""One conversation with an agent, through one of the three doors that begin runs."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from goclaw.models.agents import AgentView
from tests.doors.calling import FOLLOW_RUN, SEND
from tests.scenarios.stage import Stage


@dataclass(frozen=True)
class Heard:
    """What the caller got: an answer, or a part of one and the code of an error."""

    text: str
    code: str | None = None


@dataclass
class Talk(ABC):
    """`remembers`: the gateway tells the model what was said before, not the caller."""

    stage: Stage
    agent: AgentView
    begins: ClassVar[list[str]] = []
    """Events before the run starts."""
    remembers: ClassVar[bool] = True

    @abstractmethod
    async def ask(self, text: str) -> Heard: ...


@dataclass
class ChatCompletions(Talk):
    """The client keeps the conversation and posts the whole of it, with what it heard."""

    remembers: ClassVar[bool] = False
    said: list[dict[str, Any]] = field(default_factory=list)

    async def ask(self, text: str) -> Heard:
        self.said.append({"role": "user", "content": text})
        body = {"model": f"goclaw:{self.agent.key}", "messages": self.said, "stream": True}
        answer = await self.stage.ada.rest("POST", "/v1/chat/completions", body)
        heard = Heard("", answer.code)
        if answer.status == 200:
            heard = streamed(answer.events)
        if heard.text:
            self.said.append({"role": "assistant", "content": heard.text})
        return heard


def streamed(events: list[Any]) -> Heard:
    text, code = "", None
    for event in events:
        if event is None:
            continue
        if "error" in event:
            code = event["error"]["code"]
        elif event["choices"]:
            text += event["choices"][0]["delta"].get("content") or ""
    return Heard(text, code)


@dataclass
class SendMessage(Talk):
    session_id: str | None = None

    async def ask(self, text: str) -> Heard:
        where = (
            {"sessionId": self.session_id} if self.session_id else {"agentId": str(self.agent.id)}
        )
        sent = await self.stage.ada.graphql(SEND, input={"text": text, **where})
        run_id = sent.data["sendMessage"]["id"]
        async with self.stage.ada.follow(FOLLOW_RUN, id=run_id) as events:
            followed = await events.run()
        self.session_id = (await self.stage.newest(self.agent))["sessionId"]
        return Heard(followed.text, followed.run["errorCode"])


@dataclass
class Wake(Talk):
    begins: ClassVar[list[str]] = ["run.queued"]

    async def ask(self, text: str) -> Heard:
        body = {"message": text, "session_key": "talk"}
        answer = await self.stage.ada.rest("POST", f"/v1/agents/{self.agent.id}/wake", body)
        if answer.status != 200:
            return Heard("", answer.code)
        return Heard(answer.body["content"])


DOORS = (ChatCompletions, SendMessage, Wake)
