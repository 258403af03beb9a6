"""Who may do what, written by hand from the documents; nothing here is taken from the program.

The rows of `World` are ada's: her agent is shared with eve, her conversation with nobody.
"""

from dataclasses import dataclass, replace
from enum import Enum

from goclaw.core.callers import Scope
from tests.doors.cases import Case, Other
from tests.doors.personas import OWNERS, Persona

READ, WRITE, ADMIN = Scope.READ, Scope.WRITE, Scope.ADMIN


class Whose(Enum):
    """Whose rows an operation is about."""

    ANYBODYS = "the server's, and what belongs to no user"
    CALLERS = "who is calling"
    USERS = "of the user who spoke or did it"
    SPEAKERS = "a conversation, in which nobody else speaks"
    AGENTS = "an agent, for its owner and whom it is shared with"
    OWNERS = "an agent to be changed, by its owner alone"


A, C, U, S, G, O = (  # noqa: E741
    Whose.ANYBODYS, Whose.CALLERS, Whose.USERS, Whose.SPEAKERS, Whose.AGENTS, Whose.OWNERS,
)  # fmt: skip
PUBLIC = "public"
SIGNED_IN = None

RULES: dict[str, tuple[Scope | str | None, Whose]] = {
    # what probes ask
    "get_health": (PUBLIC, A),
    "check_ready": (PUBLIC, A),
    "get_figures": (READ, A),
    # the server and who is calling
    "get_me": (SIGNED_IN, C),
    "get_server": (READ, A),
    # signed-in pages: whoever has a token or key may sign in with it, and ends what is its own
    "sign_in": (SIGNED_IN, A),
    "sign_out": (SIGNED_IN, A),
    "list_web_sessions": (READ, U),
    "count_web_sessions": (READ, U),
    "end_web_session": (WRITE, U),
    # asked about a user who has none
    "end_other_web_sessions": (WRITE, A),
    "get_security_overview": (ADMIN, A),
    # agents: own, shared, default
    "list_agents": (READ, G),
    "count_agents": (READ, G),
    "get_agent": (READ, G),
    "may_change_agent": (READ, G),
    "preview_agent": (READ, G),
    "list_shares": (READ, G),
    "create_agent": (WRITE, A),
    "update_agent": (WRITE, O),
    "delete_agent": (WRITE, O),
    "share_agent": (WRITE, O),
    "unshare_agent": (WRITE, O),
    "transfer_agent": (WRITE, O),
    # what becomes of a user who leaves is the administrator's
    "transfer_agents": (ADMIN, A),
    "purge_user": (ADMIN, A),
    # speaking with them
    "start_chat": (WRITE, G),
    "wake_agent": (WRITE, G),
    "start_wake": (WRITE, G),
    "send_message": (WRITE, G),
    "send_message in a session": (WRITE, S),
    "cancel_run": (WRITE, U),
    "get_runs_state": (READ, A),
    "stop_all_runs": (ADMIN, A),
    "resume_runs": (ADMIN, A),
    # providers belong to nobody
    "list_providers": (READ, A),
    "count_providers": (READ, A),
    "get_provider": (READ, A),
    "list_models": (READ, A),
    "get_provider_health": (READ, A),
    "create_provider": (WRITE, A),
    "update_provider": (WRITE, A),
    "delete_provider": (WRITE, A),
    "verify_provider": (WRITE, A),
    # built-in tools belong to nobody; what they are set up with is the administrator's
    "list_builtin_tools": (READ, A),
    "get_builtin_tool": (READ, A),
    "update_builtin_tool": (ADMIN, A),
    # keys are the administrator's
    "list_api_keys": (ADMIN, A),
    "count_api_keys": (ADMIN, A),
    "get_api_key": (ADMIN, A),
    "create_api_key": (ADMIN, A),
    "rotate_api_key": (ADMIN, A),
    "revoke_api_key": (ADMIN, A),
    # conversations, and what came of them
    "list_sessions": (READ, U),
    "count_sessions": (READ, U),
    "get_session": (READ, U),
    "export_session": (READ, U),
    "list_messages": (READ, U),
    "count_messages": (READ, U),
    "active_run": (READ, U),
    "update_session": (WRITE, U),
    "delete_session": (WRITE, U),
    "list_runs": (READ, U),
    "count_runs": (READ, U),
    "get_run": (READ, U),
    "watch_run": (READ, U),
    "list_traces": (READ, U),
    "count_traces": (READ, U),
    "get_trace": (READ, U),
    "list_spans": (READ, U),
    "list_span_messages": (READ, U),
    "list_trace_messages": (READ, U),
    "list_costs": (READ, U),
    "list_usage": (READ, U),
    "list_usage_shares": (READ, U),
    "get_usage_summary": (READ, U),
    "list_activity": (READ, U),
    "count_activity": (READ, U),
    "watch_events": (READ, A),
    "list_child_traces": (READ, U),
    # what agents give one another is done in their user's name; eve has but one of the agents
    "list_delegations": (READ, U),
    "count_delegations": (READ, U),
    "get_delegation": (READ, U),
    "list_child_delegations": (READ, U),
    "list_agent_links": (READ, U),
    "count_agent_links": (READ, U),
    "get_agent_link": (READ, U),
    "create_agent_link": (WRITE, U),
    "update_agent_link": (WRITE, U),
    "delete_agent_link": (WRITE, U),
    # context files are for whoever may change the agent; of users each sees what is their own
    "list_context_files": (READ, O),
    "set_context_file": (WRITE, O),
    "list_agent_instances": (READ, U),
    "count_agent_instances": (READ, U),
    "get_agent_instance": (READ, U),
    "list_instance_files": (READ, U),
    "set_instance_file": (WRITE, O),
    "update_agent_instance": (WRITE, O),
    # cron jobs are their user's, with any agent that user may use
    "list_cron_jobs": (READ, U),
    "count_cron_jobs": (READ, U),
    "get_cron_job": (READ, U),
    "list_cron_runs": (READ, U),
    "count_cron_runs": (READ, U),
    "last_cron_run": (READ, U),
    "create_cron_job": (WRITE, G),
    "update_cron_job": (WRITE, U),
    "delete_cron_job": (WRITE, U),
    "run_cron_job": (WRITE, U),
}
"""The scope of each operation and whose rows it is about."""

STATUSES = {
    "unauthenticated": 401,
    "user_required": 400,
    "user_not_yours": 403,
    "owner_not_yours": 403,
    "scope_missing": 403,
    "agent_not_yours": 403,
    "session_not_yours": 403,
}
"""Of refusals at `/v1`; what is not there is 404."""
OUTSIDE = frozenset({"unauthenticated", "user_not_yours", "owner_not_yours"})
"""Refusals of the caller, whatever was asked."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is the refusal; without one the answer shows the row or does not."""

    code: str | None = None
    shows: bool = True

    @property
    def refused(self) -> bool:
        return self.code is not None

    @property
    def status(self) -> int:
        return STATUSES.get(self.code or "", 404)


def rule_of(case: Case) -> tuple[Scope | str | None, Whose]:
    in_a_session = "sessionId" in dict(case.variables).get("input", {})
    if case.operation == "send_message" and in_a_session:
        return RULES["send_message in a session"]
    return RULES[case.operation]


def verdict(case: Case, persona: Persona) -> Verdict:
    scope, whose = rule_of(case)
    if case.rest == "GET /metrics":
        persona = replace(persona, named=None)  # no user's rows: the header is not read
    if scope == PUBLIC:
        return Verdict()
    code = _refusal(persona, scope)
    if code is not None:
        return Verdict(code)
    return _of_rows(case, persona, whose)


def _refusal(persona: Persona, scope: Scope | str | None) -> str | None:
    """Whoever is calling comes first, then what the key may do, then in whose name."""
    if persona.granted is None:
        return "unauthenticated"
    if persona.bound is not None and persona.named not in (None, persona.bound):
        return "user_not_yours"
    if persona.user in OWNERS and persona.bound is None and ADMIN not in persona.scopes:
        return "owner_not_yours"
    if scope is not None and scope not in persona.scopes:
        return "scope_missing"
    if scope is WRITE and persona.user is None and not persona.sees_all:
        return "user_required"
    return None


def _of_rows(case: Case, persona: Persona, whose: Whose) -> Verdict:
    hidden = Verdict(case.code) if case.other is Other.REFUSED else Verdict(shows=False)
    if whose is Whose.ANYBODYS:
        return Verdict()
    if whose is Whose.CALLERS:
        return Verdict(shows=persona.user == "ada")
    if persona.user == "ada":
        return Verdict()
    if persona.sees_all:
        return Verdict("session_not_yours") if whose is Whose.SPEAKERS else Verdict()
    if persona.user == "eve" and whose is Whose.AGENTS:
        return Verdict()
    if persona.user == "eve" and whose is Whose.OWNERS:
        return Verdict("agent_not_yours")
    return hidden
