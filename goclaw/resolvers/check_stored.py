"""What the database tells about itself and about what is kept in it."""

from typing import Final

from goclaw.core.settings import Settings
from goclaw.models.findings import Finding, failed, info, ok, warning
from goclaw.models.system import DatabaseState, KeysState, SecretsState

MOST_NAMED: Final = 5
MANY_REFUSED: Final = 100
"""Refused credentials an hour that are more than people who mistype."""


def check_database(state: DatabaseState, settings: Settings) -> Finding:
    where = "embedded" if settings.postgres_dsn is None else "named by GOCLAW_POSTGRES_DSN"
    return ok("database", f"PostgreSQL {state.server_version}, {where}")


def check_version(found: str | None, newest: str) -> Finding:
    """Of the tables; None before the first migration."""
    subject = "version"
    if found == newest:
        return ok(subject, newest)
    if found is not None and found > newest:
        text = f"{found} is newer than {newest}, the newest this program knows"
        return failed(subject, text, "install the goclaw that the server runs, or a newer one")
    fix = "run goclaw migrate, or start goclaw serve"
    return failed(subject, f"{found or 'none'}, and {newest} is needed", fix)


def check_extension(state: DatabaseState) -> Finding:
    if state.vector:
        return ok("vector", f"extension {state.vector}")
    fix = "as its superuser, in this database: CREATE EXTENSION vector"
    if not state.vector_available:
        fix = "install pgvector for this PostgreSQL, then: CREATE EXTENSION vector"
    text = "the extension is missing; nothing needs it yet, a later version will"
    return warning("vector", text, fix)


def check_connections(state: DatabaseState, settings: Settings) -> Finding:
    text = (
        f"{state.connections} of {state.max_connections} in use; "
        f"the server takes up to {settings.db_connections}"
    )
    if settings.db_connections >= state.max_connections:
        fix = "lower GOCLAW_DB_CONNECTIONS, or raise max_connections of PostgreSQL"
        return failed("connections", text, fix)
    return ok("connections", text)


def check_secrets(state: SecretsState) -> Finding:
    if state.older and not state.unreadable:
        text = f"{state.stored}, all readable, {state.older} of them with older keys only"
        fix = "goclaw keys rotate-encryption; older keys are needed until then"
        return warning("stored secrets", text, fix)
    if not state.unreadable:
        return ok("stored secrets", f"{state.stored}, all readable")
    named = ", ".join(state.unreadable[:MOST_NAMED])
    more = len(state.unreadable) - MOST_NAMED
    text = f"these cannot be read: {named}"
    fix = "put the encryption key back that they were stored with, or store them again"
    return failed("stored secrets", f"{text} and {more} more" if more > 0 else text, fix)


def check_fanout(settings: Settings, *, connected: bool) -> Finding:
    """Between workers and replicas."""
    if settings.redis_url is not None:
        fix = "see that Redis runs and that GOCLAW_REDIS_URL is right"
        text = "Redis answers" if connected else "Redis does not answer"
        return ok("fan-out", text) if connected else failed("fan-out", text, fix)
    if connected:
        return ok("fan-out", "over PostgreSQL")
    fix = "let GOCLAW_POSTGRES_DSN lead to PostgreSQL itself, or set GOCLAW_REDIS_URL"
    return failed("fan-out", "LISTEN does not work through this connection", fix)


def check_keys(state: KeysState) -> list[Finding]:
    """Of the API keys that work at the moment."""
    return [_admin_keys(state), _endless_keys(state), _unused_keys(state)]


def _admin_keys(state: KeysState) -> Finding:
    subject, text = "administrator keys", f"{state.admin} of {state.working} keys that work"
    if state.endless_admin:
        fix = "make them anew with an end, or with fewer scopes, and revoke those"
        return warning(subject, f"{text}, {state.endless_admin} without an end", fix)
    return ok(subject, text)


def _endless_keys(state: KeysState) -> Finding:
    subject = "keys without an end"
    if state.endless:
        fix = "rotate them now and then, or make them anew with an end"
        return info(subject, f"{state.endless} of {state.working}", fix)
    return ok(subject, "none")


def _unused_keys(state: KeysState) -> Finding:
    subject = "unused keys"
    if state.unused:
        text = f"{state.unused} of {state.working} were not used for {state.unused_days} days"
        return warning(subject, text, "revoke those that nothing needs")
    return ok(subject, f"none: all were used or made within {state.unused_days} days")


def check_refused(state: KeysState) -> Finding:
    subject, text = "refused sign-ins", f"{state.refused} credentials in the last hour"
    if state.refused >= MANY_REFUSED:
        fix = "see from where under Activity, action credential.refused, and block the address"
        return warning(subject, text, fix)
    return ok(subject, text)
