"""Whether there is money and are tokens left for a model call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from goclaw.core.clock import clock_s
from goclaw.core.errors import BudgetExceeded
from goclaw.core.ids import uuid7
from goclaw.events.hub import EventHub
from goclaw.models.budgets import Budget, Unit
from goclaw.providers.messages import Usage
from goclaw.store.database import Database
from goclaw.store.spending import used_by_others, used_of, warn

KEPT_S: Final = 10.0
"""How long other workers' runs may go unnoticed, as long as a budget is not used up."""
WARN_AT: Final = Decimal("0.8")
MOST_KEPT: Final = 10_000


@dataclass(slots=True)
class Account:
    """What a budget's holder used in the period, as far as this worker knows."""

    since: datetime
    used: Decimal
    read_at: float
    warned: bool = False


class Budgets:
    """What was read a moment ago is added up with what this worker's own runs used since. So runs
    that go on at the same time may together go beyond a budget by the calls that are under way.
    """

    def __init__(self, database: Database, hub: EventHub) -> None:
        self._database = database
        self._hub = hub
        self._accounts: dict[Budget, Account] = {}

    async def admit(self, budgets: Sequence[Budget]) -> None:
        """Before each model call. Raises BudgetExceeded when one of them is used up."""
        for budget in budgets:
            account = await self._account(budget)
            if account.used >= budget.limit:
                account = await self._read(budget, account.since)
            if account.used >= budget.limit:
                raise _spent(budget, account)
            if not account.warned and account.used >= budget.limit * WARN_AT:
                await self._warn(budget, account)

    async def used_by_others(self, root_id: UUID, but: UUID) -> tuple[int, Decimal]:
        """Tokens and US dollars of the other runs that `root_id` pays for."""
        return await used_by_others(self._database, root_id, but)

    def add(self, budgets: Sequence[Budget], usage: Usage | None, cost_usd: Decimal | None) -> None:
        """What a model call used."""
        for budget in budgets:
            account = self._accounts.get(budget)
            if account is not None and budget.unit is Unit.CENTS:
                account.used += (cost_usd or 0) * 100
            elif account is not None and usage is not None:
                account.used += usage.total_tokens

    async def _account(self, budget: Budget) -> Account:
        account = self._accounts.get(budget)
        since = budget.unit.period_of(datetime.now(UTC))
        if account is None or account.since != since or clock_s() > account.read_at + KEPT_S:
            return await self._read(budget, since)
        return account

    async def _read(self, budget: Budget, since: datetime) -> Account:
        before, asked = self._accounts.pop(budget, None), clock_s()
        account = Account(since, await used_of(self._database, budget, since), asked)
        account.warned = before is not None and before.since == since and before.warned
        if len(self._accounts) >= MOST_KEPT:
            self._accounts.pop(next(iter(self._accounts)))
        self._accounts[budget] = account
        return account

    async def _warn(self, budget: Budget, account: Account) -> None:
        told = {
            "holder": budget.holder,
            "id": budget.id,
            "unit": budget.unit,
            "used": float(round(account.used, 2)),
            "limit": budget.limit,
            "since": account.since,
        }
        if await warn(self._database, budget, account.since, uuid7(), told):
            self._hub.wake()
        account.warned = True


def _spent(budget: Budget, account: Account) -> BudgetExceeded:
    return BudgetExceeded(
        f"{budget.holder}_{budget.unit}_spent",
        id=budget.id,
        used=f"{account.used:.0f}",
        limit=budget.limit,
    )
