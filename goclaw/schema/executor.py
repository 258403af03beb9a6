"""graphql-core's executor, with the fast path of `leaf.py` in front of it."""

from collections.abc import Awaitable
from typing import Any, Final, cast

from graphql import GraphQLObjectType, get_nullable_type, is_non_null_type
from graphql.execution import Executor

from goclaw.schema.documents import Document
from goclaw.schema.leaf import Plan, Writer

MAX_PLANS: Final = 32
Details = Any


class FastExecutor(Executor[Any]):
    """`document` is to be set before it runs."""

    document: Document

    def complete_list_value(
        self, return_type: Any, field_details_list: Details, info: Any, path: Any, result: Any,
        position_context: Any,
    ) -> Any:  # fmt: skip
        kind = get_nullable_type(return_type.of_type)
        if isinstance(kind, GraphQLObjectType) and is_non_null_type(return_type.of_type):
            plan = None if kind.is_type_of else self.plan_of(kind, field_details_list)
            if plan is not None and not plan.rest:
                try:
                    return plan.of_list(result)
                except Exception:  # noqa: BLE001, S110 - graphql-core finds out what is wrong
                    pass
        return super().complete_list_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def collect_and_execute_subfields(
        self, return_type: GraphQLObjectType, field_details_list: Details, path: Any, result: Any,
        position_context: Any,
    ) -> Any:  # fmt: skip
        plan = self.plan_of(return_type, field_details_list)
        if plan is not None:
            try:
                plain = plan.of_row(result)
            except Exception:  # noqa: BLE001, S110 - graphql-core finds out what is wrong
                pass
            else:
                if not plan.rest:
                    return plain
                rest = self.execute_fields(return_type, result, path, plan.rest, position_context)
                if self.is_awaitable(rest):
                    return joined_later(plan, plain, rest)
                return joined(plan, plain, cast("dict[str, Any]", rest))
        return super().collect_and_execute_subfields(
            return_type, field_details_list, path, result, position_context
        )

    def plan_of(self, kind: GraphQLObjectType, details: Details) -> Plan | None:
        """Kept with the document, whose nodes it was made from."""
        document = self.document
        values = self.variable_values.coerced
        key = (
            kind.name,
            *[id(detail.node) for detail in details],
            *[values.get(name) for name in document.conditions],
        )
        plans = document.plans
        if key in plans:
            return cast("Plan | None", plans[key])
        if len(plans) >= MAX_PLANS:
            return None
        fields = self.collect_subfields(kind, details).grouped_field_set
        plan = plans[key] = Writer(self).plan(kind, fields)
        return plan


async def joined_later(plan: Plan, plain: dict[str, Any], rest: Awaitable[Any]) -> Any:
    return joined(plan, plain, await rest)


def joined(plan: Plan, plain: dict[str, Any], rest: dict[str, Any]) -> dict[str, Any]:
    """In the order of the selection."""
    return {name: plain[name] if name in plain else rest[name] for name in plan.names}
