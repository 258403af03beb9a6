"""The loop of a run with tools: ask the model, do what it wants done, tell it what came of it,
until it answers.

Every step is committed before the next one begins: what the model wants done before it is done,
each result as soon as it is there. At a limit the model is asked once more, without tools, so that
there is an answer in any case.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from time import monotonic_ns
from typing import Final, NamedTuple

from goclaw.core.errors import BudgetExceeded
from goclaw.providers.messages import (
    Delta,
    Json,
    ModelMessage,
    ModelRequest,
    Part,
    Reply,
    TextPart,
    ToolCall,
)
from goclaw.runtime.budgets import Budgets
from goclaw.runtime.limits import Limits
from goclaw.runtime.live import BETWEEN_STEPS, LiveRun
from goclaw.runtime.repeats import STOP_AT, WARN_AT, Repeats
from goclaw.runtime.spent import Spent, summed
from goclaw.runtime.steps import Intent, Steps
from goclaw.tools.delegation import GIVING
from goclaw.tools.tool import ToolContext, ToolResult
from goclaw.tools.toolbox import Toolbox

NS: Final = 1_000_000_000
STOP_S: Final = 1.0
"""How long a tool may take to stop when the time is over."""

ROUNDS: Final = "the limit of {limit} rounds of tool calls is reached"
CALLS: Final = "the limit of {limit} tool calls is reached"
TIME: Final = "the time for this task, {limit:g} s, is over"
CIRCLES: Final = "{name} gave the same result {times} times for the same arguments"
CLOSE: Final = (
    "[From the gateway: {why}. Do not call any more tools. Answer now with what you have found "
    "out, and say what is left undone.]"
)
WARNING: Final = (
    "[From the gateway: you called {name} {times} times with the same arguments, and the result "
    "was the same each time. Do something else, or answer.]"
)
CUT_OFF: Final = (
    "[From the gateway: your output was cut off at its limit before the tool call was complete, "
    "and nothing was done. Call tools with smaller arguments.]"
)
NOT_RUN: Final = "Not carried out: {why}."
OUT_OF_TIME: Final = "Stopped before it was done: the time for this task is over."
NOTHING_SAID: Final = "I had to stop: {why}."


class Loop:
    """One run, from its first model call to its last."""

    def __init__(
        self, run: LiveRun, toolbox: Toolbox, steps: Steps, limits: Limits, budgets: Budgets
    ) -> None:
        self._run = run
        self._toolbox = toolbox
        self._steps = steps
        self._limits = limits
        self._budgets = budgets
        self._theirs = frozenset(tool["function"]["name"] for tool in run.turn.request.tools or ())
        self._request = self._with_tools(run.turn.request)
        self._context = _context(run)
        self._slots = asyncio.Semaphore(limits.tools_at_once)
        self._repeats = Repeats()
        self._rounds = 0
        self._calls_left = limits.tool_calls
        self._until_ns = run.started_ns + int(limits.time_s * NS)
        self._closing: str | None = None
        self._logprobs: list[Json] = []
        self._thinking: list[str] = []
        if run.taken_up:
            self._recall(run.done)

    def _recall(self, done: Sequence[ModelMessage]) -> None:
        """What the run did elsewhere counts towards its limits."""
        calls: dict[str, ToolCall] = {}
        for message in done:
            calls |= {call.id: call for call in message.tool_calls}
            self._run.gave_tasks |= any(call.name in GIVING for call in message.tool_calls)
            if message.tool_calls:
                self._calls_left -= len(message.tool_calls)
                self._count_round()
            if message.role == "tool" and message.tool_call_id in calls:
                self._repeats.add(calls[message.tool_call_id], message.text)

    def _with_tools(self, request: ModelRequest) -> ModelRequest:
        """Ours come first and always alike, for the vendor's prompt cache. A tool of the client
        hides one of ours with the same name.
        """
        ours = [
            tool
            for tool in self._toolbox.definitions
            if tool["function"]["name"] not in self._theirs
        ]
        return replace(
            request, messages=[*request.messages], tools=[*ours, *(request.tools or ())] or None
        )

    async def deltas(self) -> AsyncGenerator[list[Delta], None]:
        """What the model says, and at the end what its answer as a whole used. Calls of our
        tools are not told.
        """
        while True:
            async with aclosing(self._ask()) as said:
                async for deltas in said:
                    yield deltas
            reply = self._run.said
            if self._closing is not None and reply.tool_calls:
                reply = self._without_calls()
            if self._closing is not None and not self._run.pieces:
                yield self._speak(NOTHING_SAID.format(why=self._closing))
                reply = self._run.said
            if reply.finish_reason == "length" and reply.tool_calls:
                await self._cut_off(reply)
                continue
            theirs = [call for call in reply.tool_calls if call.name in self._theirs]
            ours = [call for call in reply.tool_calls if call.name not in self._theirs]
            if ours:
                await self._act(reply, ours)
                if not theirs:
                    continue
            elif not theirs and not await self._steps.has_last_word():
                self._go_on(reply, await self._steps.answer(reply))
                continue
            yield [self._end(reply, theirs)]
            return

    async def _ask(self) -> AsyncGenerator[list[Delta], None]:
        """One model call; text and thinking are passed on."""
        run = self._run
        spent = self._steps.spent
        if spent.model_calls or run.turn.errand is not None:
            await self._refuse_unpaid(spent)
        request = self._next_request()
        run.open_call(request)
        begins = bool(run.pieces)
        async with aclosing(run.turn.client.stream(request)) as chunks:
            async for deltas in chunks:
                told = _told(deltas)
                if begins and told and any(delta.text for delta in told):
                    told.insert(0, Delta(BETWEEN_STEPS))
                    begins = False
                run.take(deltas, told)
                if told:
                    self._keep(told)
                    yield told

    async def _refuse_unpaid(self, spent: Spent) -> None:
        """Before each model call but the first, which nothing can refuse that did not refuse the
        run. A run and all tasks that came of it share one budget, before the first call of each,
        too. Raises BudgetExceeded.
        """
        limits, run = self._limits, self._run
        tokens, cost_usd = spent.usage.total_tokens, spent.cost_usd or Decimal(0)
        if run.root_id is not None:
            others = await self._budgets.used_by_others(run.root_id, run.id)
            tokens, cost_usd = tokens + others[0], cost_usd + others[1]
        cents = cost_usd * 100
        if limits.budget_tokens and tokens >= limits.budget_tokens:
            raise BudgetExceeded("run_tokens_spent", used=tokens, limit=limits.budget_tokens)
        if limits.budget_cents and cents >= limits.budget_cents:
            raise BudgetExceeded("run_cents_spent", used=f"{cents:.0f}", limit=limits.budget_cents)
        await self._budgets.admit(run.turn.budgets)

    def _next_request(self) -> ModelRequest:
        """Each call has its own list of attempts. What the client wants of the first answer is
        not wanted of those that follow tool calls.
        """
        if self._closing is None and monotonic_ns() > self._until_ns:
            self._close(TIME.format(limit=self._limits.time_s))
        request = replace(self._request, messages=[*self._request.messages], attempts=[])
        if self._closing is not None:
            request.tool_choice = "none"
        elif self._rounds and request.tool_choice != "none":
            request.tool_choice = None
        return request

    def _keep(self, told: Iterable[Delta]) -> None:
        for delta in told:
            if delta.thinking:
                self._thinking.append(delta.thinking)
            if delta.logprobs:
                self._logprobs.extend(delta.logprobs.get("content") or ())

    def _close(self, why: str) -> None:
        """The next answer is the last one."""
        if self._closing is None:
            self._closing = why
            self._note(CLOSE.format(why=why))

    def _note(self, text: str) -> None:
        """Told to the model; the conversation that is stored is the user's."""
        self._request.messages.append(ModelMessage("user", text))

    def _without_calls(self) -> Reply:
        """A model that goes on calling tools when it is told not to is not listened to."""
        self._run.answer.drop_calls()
        reply = self._run.said
        reply.finish_reason = "stop"
        return reply

    def _speak(self, text: str) -> list[Delta]:
        deltas = [Delta(text)]
        self._run.take(deltas)
        return deltas

    async def _cut_off(self, reply: Reply) -> None:
        """The calls may lack their ends, so none is carried out."""
        self._run.answer.drop_calls()
        reply = self._run.said
        self._go_on(reply, await self._steps.answer(reply))
        self._note(CUT_OFF)
        self._count_round()

    def _go_on(self, reply: Reply, said: Sequence[str]) -> None:
        if reply.content:
            answer = ModelMessage("assistant", reply.content, thoughts=[*reply.thoughts])
            self._request.messages.append(answer)
        self._hear(said)

    def _hear(self, said: Sequence[str]) -> None:
        for text in said:
            self._note(text)
            if (warning := self._run.turn.warning(text)) is not None:
                self._note(warning)

    async def _act(self, reply: Reply, calls: list[ToolCall]) -> None:
        """Our part of what the model wants done."""
        answer = ModelMessage(
            "assistant",
            reply.content,
            tool_calls=[*reply.tool_calls],
            thoughts=[*reply.thoughts],
        )
        intents, said = await self._steps.intend(reply, calls)
        results = await self._carry_out(intents)
        self._request.messages += [answer, *(result.message for result in results)]
        if any(result.waits for result in results):
            said = [*said, *await self._steps.take()]
        self._hear(said)
        self._look_for_circles(calls, results)
        self._count_round()

    def _count_round(self) -> None:
        self._rounds += 1
        if self._rounds >= self._run.turn.agent.max_tool_iterations:
            self._close(ROUNDS.format(limit=self._run.turn.agent.max_tool_iterations))
        elif self._calls_left <= 0:
            self._close(CALLS.format(limit=self._limits.tool_calls))

    def _look_for_circles(self, calls: list[ToolCall], results: list["Result"]) -> None:
        for call, result in zip(calls, results, strict=True):
            times = self._repeats.add(call, result.message.text)
            if times >= STOP_AT:
                self._close(CIRCLES.format(name=call.name, times=times))
            elif times == WARN_AT:
                self._note(WARNING.format(name=call.name, times=times))

    async def _carry_out(self, intents: list[Intent]) -> list["Result"]:
        """At once, as far as the limits go; the results in the order of the calls. Whoever
        cancels the run stops the tools, too.
        """
        allowed, self._calls_left = self._calls_left, self._calls_left - len(intents)
        at_work = [
            asyncio.create_task(
                self._call(intent) if place < allowed else self._refuse(intent),
                name=f"tool {intent.call.name}",
            )
            for place, intent in enumerate(intents)
        ]
        try:
            await asyncio.wait(at_work, timeout=max(0, self._until_ns - monotonic_ns()) / NS)
            return [
                task.result() if task.done() else await self._stop(task, intent)
                for task, intent in zip(at_work, intents, strict=True)
            ]
        except asyncio.CancelledError:
            for task, intent in zip(at_work, intents, strict=True):
                if not task.done():
                    self._steps.stopped(intent)
            raise
        finally:
            for task in at_work:
                _abandon(task)

    async def _call(self, intent: Intent) -> "Result":
        async with self._slots:
            intent.began_ns = monotonic_ns()
            result = await self._toolbox.call(self._context, intent.call)
        return await self._keep_result(intent, result)

    async def _refuse(self, intent: Intent) -> "Result":
        why = CALLS.format(limit=self._limits.tool_calls)
        refused = ToolResult(NOT_RUN.format(why=why), is_error=True)
        return await self._keep_result(intent, refused)

    async def _stop(self, task: "asyncio.Task[Result]", intent: Intent) -> "Result":
        """A tool that is still at work when the time is over."""
        task.cancel()
        await asyncio.wait([task], timeout=STOP_S)
        if task.done() and not task.cancelled():
            return task.result()
        return await self._keep_result(intent, ToolResult(OUT_OF_TIME, is_error=True))

    async def _keep_result(self, intent: Intent, result: ToolResult) -> "Result":
        message = _message(intent.call, result)
        return Result(message, await self._steps.result(intent, message))

    def _end(self, reply: Reply, theirs: list[ToolCall]) -> Delta:
        """The answer as one: the text of all steps, the client's calls, the sum of what it used."""
        run = self._run
        usage = reply.usage if run.calling else None
        if run.spent is not None and run.spent.model_calls:
            usage = summed(run.spent.usage, usage) if usage else run.spent.usage
        run.whole = Reply(
            content="".join(run.pieces),
            thinking="".join(self._thinking),
            tool_calls=theirs,
            finish_reason=reply.finish_reason,
            usage=usage,
            model=reply.model,
            logprobs={"content": self._logprobs} if self._logprobs else None,
        )
        calls = [_fragment(index, call) for index, call in enumerate(theirs)]
        return Delta("", "", calls or None, reply.finish_reason or "stop", usage)


class Result(NamedTuple):
    """`waits`: the user has said something meanwhile."""

    message: ModelMessage
    waits: bool


def _abandon(task: "asyncio.Task[Result]") -> None:
    """Stops it; how it ends is of no interest any more."""
    if not task.cancel() and not task.cancelled():
        task.exception()


def _context(run: LiveRun) -> ToolContext:
    turn = run.turn
    return ToolContext(
        agent_id=turn.agent.id,
        agent_key=turn.agent.key,
        user_id=turn.user_id,
        session_id=run.session_id,
        session_key=run.session_key,
        run_id=run.id,
        channel=turn.channel,
    )


def _told(deltas: list[Delta]) -> list[Delta]:
    """What of them the client hears at once."""
    told: list[Delta] = []
    for delta in deltas:
        if not (delta.tool_calls or delta.finish_reason or delta.usage or delta.thought):
            told.append(delta)
        elif delta.text or delta.thinking or delta.logprobs:
            told.append(Delta(delta.text, delta.thinking, logprobs=delta.logprobs))
    return told


def _message(call: ToolCall, result: ToolResult) -> ModelMessage:
    text = result.text.replace("\0", "")
    content: str | list[Part] = [TextPart(text), *result.images] if result.images else text
    return ModelMessage(
        "tool", content, name=call.name, tool_call_id=call.id, is_error=result.is_error
    )


def _fragment(index: int, call: ToolCall) -> Json:
    function = {"name": call.name, "arguments": call.arguments}
    fragment: Json = {"index": index, "id": call.id, "type": "function", "function": function}
    return fragment | {"extra_content": call.extra} if call.extra else fragment
