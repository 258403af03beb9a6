"""Every operation at every door it can be reached by: what to send, and whose row it is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from string import Template
from typing import Any

import orjson

from goclaw.core.callers import Scope
from tests.doors.calling import Answer, Caller
from tests.doors.world import Rows


class Other(Enum):
    """What another user gets."""

    REFUSED = "not found"
    NOTHING = "an answer without the row"
    SAME = "the same: the rows belong to nobody"


@dataclass(frozen=True, slots=True)
class Case:
    """`$name` stands for a row in path, variables and body.

    `shows` is what the right caller's answer holds; `counts` is the place of a number instead.
    `code` is another user's refusal. `writes` says that the row must be one of its own,
    `talks` that it is a run that goes on.
    """

    operation: str
    scope: Scope | None
    graphql: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    rest: str | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    shows: str = ""
    counts: str = ""
    other: Other = Other.REFUSED
    code: str = ""
    writes: bool = False
    talks: bool = False
    anonymous: bool = False
    status: int = 200

    @property
    def name(self) -> str:
        return f"{self.operation}-{self.rest or (self.graphql or '').split('(')[0].split(' ')[0]}"

    @property
    def subscribes(self) -> bool:
        return (self.graphql or "").startswith("subscription")

    @property
    def speaks_openai(self) -> bool:
        return (self.rest or "").split(" ")[-1].startswith(("/v1/chat", "/v1/models"))

    @property
    def needs_conversation(self) -> bool:
        sent = f"{self.rest} {self.body} {dict(self.variables)} {self.shows}"
        return any(f"${name}" in sent for name in ("session", "run", "trace", "span", "question"))

    async def ask(self, caller: Caller, rows: Rows) -> Answer:
        if self.rest is not None:
            method, path = filled(self.rest, rows).split(" ")
            body = None if self.body is None else filled(self.body, rows)
            return await caller.rest(method, path, body, headers=self.headers)
        assert self.graphql is not None
        variables = filled(dict(self.variables), rows)
        if self.subscribes:
            return await caller.first(self.graphql, **variables)
        return await caller.graphql(self.graphql, **variables)

    def number(self, answer: Answer) -> int:
        value = answer.body
        for step in self.counts.split("."):
            value = value[step]
        assert isinstance(value, int)
        return value


def filled(value: Any, rows: Rows) -> Any:
    """`value` with the rows' ids in place of their names."""
    return orjson.loads(Template(orjson.dumps(value).decode()).substitute(rows))


def query(operation: str, text: str, scope: Scope | None = Scope.READ, **more: Any) -> Case:
    return Case(operation, scope, graphql=text, **more)


def mutation(operation: str, name: str, kind: str, sent: Any, back: str, **more: Any) -> Case:
    text = f"mutation ($input: {kind}!) {{ {name}(input: $input) {back} }}"
    more = {"scope": Scope.WRITE, "writes": True, **more}
    return Case(operation, graphql=text, variables={"input": sent}, **more)


def rest(operation: str, request: str, scope: Scope | None = Scope.READ, **more: Any) -> Case:
    return Case(operation, scope, rest=request, **more)


def change(operation: str, request: str, body: Any = None, **more: Any) -> Case:
    more = {"writes": True, "scope": Scope.WRITE, **more}
    return rest(operation, request, body=body, **more)


Shared = dict[str, Any]
"""What several cases have in common."""

AGENT: Shared = {"shows": "$agent", "code": "agent_not_found"}
SESSION: Shared = {"shows": "$session", "code": "session_not_found"}
RUN: Shared = {"shows": "$run", "code": "run_not_found"}
TRACE: Shared = {"shows": "$trace", "code": "trace_not_found"}
DELEGATION: Shared = {"shows": "$delegation", "code": "delegation_not_found"}
AGENT_LINK: Shared = {"shows": "$agent_link", "code": "agent_link_not_found"}
CRON_JOB: Shared = {"shows": "$cron_job", "code": "cron_job_not_found"}
WEB_SESSION: Shared = {"shows": "$web_session", "code": "web_session_not_found"}
HIDDEN: Shared = {"other": Other.NOTHING}
ANYBODY: Shared = {"other": Other.SAME}
