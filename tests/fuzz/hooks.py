"""What Schemathesis, in a process of its own, asks with and looks for as one of our roles.

Named by SCHEMATHESIS_HOOKS; the role comes in GOCLAW_FUZZ_ROLE, and what was counted goes to the
file GOCLAW_FUZZ_TALLY.
"""

import atexit
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import schemathesis
from schemathesis import Case, CheckContext, GenerationMode, HookContext, Response

from tests.fuzz.cases import check_answer, graphql_scalars
from tests.fuzz.roles import Role

ROLE = Role.read(os.environ["GOCLAW_FUZZ_ROLE"])
ANSWERS: Counter[str] = Counter()


@atexit.register
def _write() -> None:
    Path(os.environ["GOCLAW_FUZZ_TALLY"]).write_text(json.dumps(ANSWERS))


graphql_scalars(ROLE)


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, object]) -> None:
    """Ids of rows that are there, in place of half of the made up ones."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    for name, value in (case.path_parameters or {}).items():
        if is_uuid(value) and UUID(value).int % 2 and name in ("id", "traceID"):
            case.path_parameters[name] = ROLE.ids[UUID(value).int // 2 % len(ROLE.ids)]


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    ANSWERS[str(response.status_code)] += 1


@schemathesis.check
def within_bounds(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    check_answer(ROLE, case, response)


def is_uuid(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        UUID(value)
    except ValueError:
        return False
    return True
