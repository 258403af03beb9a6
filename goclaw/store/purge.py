"""Forgetting a user, in batches and in an order that leaves nothing without what leads to it.

What others are accountable for stays under a pseudonym: figures of runs, who changed what and
when. A purge that was cut short is finished by the next one.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func
from sqlmodel import col, select

from goclaw.models.runs import Run, RunStatus
from goclaw.store.database import Database, Db, fetch

BATCH: Final = 2000
NAMED: Final = """exists (select from jsonb_each_text(
    case jsonb_typeof({column}) when 'object' then {column} else '{{}}' end
) as said where said.value = $1::text)"""
"""A value of a JSON object is the user's id, as in who an agent was shared with."""


@dataclass(frozen=True, slots=True)
class Step:
    """Rows of `table` that `where` finds are changed, or deleted without a `change`; `where` must
    not find them again. $1 is the user, $2 the pseudonym. `uses` are tables to look at besides.
    """

    table: str
    where: str
    change: str | None = None
    key: str = "id"
    uses: str = ""

    @property
    def deletes(self) -> bool:
        return self.change is None

    @property
    def sql(self) -> str:
        """What another purge of the user holds is left to that one."""
        found = f"""select {self.table}.{self.key} from {self.table}{self.uses}
            where {self.where} limit {BATCH} for update of {self.table} skip locked"""
        verb = (
            f"delete from {self.table}"
            if self.deletes
            else f"update {self.table} set {self.change}"
        )
        return f"{verb} where {self.key} = any(array({found})) returning 1"

    def arguments(self, user_id: str, pseudonym: str) -> tuple[str, ...]:
        return (user_id,) if self.deletes else (user_id, pseudonym)


STEPS: Final = (
    Step(
        "cron_runs",
        "cron_jobs.id = cron_runs.job_id and cron_jobs.user_id = $1::text",
        uses=", cron_jobs",
    ),
    Step("cron_jobs", "user_id = $1::text"),
    Step("cron_runs", "asked_by = $1::text", "asked_by = $2::text"),
    Step("delegation_history", "user_id = $1::text and status <> 'running'"),
    Step("user_context_files", "user_id = $1::text"),
    Step("user_agent_profiles", "user_id = $1::text"),
    Step("agent_links", "created_by = $1::text", "created_by = $2::text"),
    *(
        Step(
            "agent_links",
            f"{users} ? $1::text",
            f"{users} = ({users} - $1::text) || to_jsonb($2::text)",
        )
        for users in ("allow_users", "deny_users")
    ),
    Step(
        "messages",
        "sessions.id = messages.session_id and sessions.user_id = $1::text",
        uses=", sessions",
    ),
    Step("sessions", "user_id = $1::text"),
    Step(
        "spans",
        "traces.id = spans.trace_id and traces.user_id = $1::text",
        uses=", traces",
    ),
    Step("traces", "user_id = $1::text"),
    Step(
        "runs",
        "user_id = $1::text and status not in ('queued', 'running')",
        "user_id = $2::text, key_id = null, error_message = null",
    ),
    Step("usage_days", "user_id = $1::text", "user_id = $2::text", key="ctid"),
    Step("usage_hours", "user_id = $1::text", "user_id = $2::text", key="ctid"),
    Step("events", f"user_id = $1::text or {NAMED.format(column='payload')}"),
    Step(
        "budget_warnings",
        "subject in ('user:' || $1::text || ':cents', 'user:' || $1::text || ':tokens')",
        key="ctid",
    ),
    Step("run_stops", "stopped_by = $1::text", "stopped_by = $2::text"),
    Step("run_stops", "resumed_by = $1::text", "resumed_by = $2::text"),
    Step("idempotent_requests", "actor = $1::text", key="ctid"),
    Step("agent_shares", "user_id = $1::text"),
    Step("agent_shares", "granted_by = $1::text", "granted_by = $2::text"),
    Step("web_sessions", "user_id = $1::text"),
    Step("providers", "created_by = $1::text", "created_by = $2::text"),
    Step(
        "activity_logs",
        f"""actor_id = $1::text or (details is not null and ({NAMED.format(column="details")}
            or (entity_type = 'api_key'
                and entity_id in (select id::text from api_keys where user_id = $1::text))
            or (entity_type = 'agent' and entity_id in (
                select id::text from agents where owner_id = $1::text and deleted_at is not null))
        ))""",
        """details = null,
            actor_id = case actor_id when $1::text then $2::text else actor_id end,
            ip_address = case actor_id when $1::text then null else ip_address end""",
    ),
    Step("api_keys", "created_by = $1::text", "created_by = $2::text"),
    Step(
        "api_keys",
        "user_id = $1::text and revoked",
        "user_id = $2::text, name = 'purged'",
    ),
    Step(
        "agents",
        "owner_id = $1::text and deleted_at is not null",
        """owner_id = $2::text, key = 'purged-' || id, display_name = null, description = null,
            system_prompt = '', frontmatter = null, tools_config = '{}', sandbox_config = null,
            subagents_config = null, memory_config = null, compaction_config = null,
            context_pruning = null, other_config = '{}'""",
    ),
)
TABLES: Final = tuple(dict.fromkeys(step.table for step in STEPS))


async def live_runs_of(db: Db, user_id: str) -> int:
    """How many runs of the user go on."""
    statement = select(func.count()).where(
        col(Run.user_id) == user_id, col(Run.status).in_((RunStatus.QUEUED, RunStatus.RUNNING))
    )
    return (await db.exec(statement)).one()


async def carry_out(database: Database, step: Step, user_id: str, pseudonym: str) -> int:
    """Tells how many rows it was about."""
    total = 0
    while rows := await fetch(database.pool, step.sql, step.arguments(user_id, pseudonym)):
        total += len(rows)
    return total
