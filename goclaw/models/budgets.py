"""What runs may use: limits of agents, users and keys over a period."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import DateTime
from sqlmodel import Field, SQLModel


class Holder(StrEnum):
    """Whose runs a budget is about."""

    AGENT = "agent"
    USER = "user"
    KEY = "key"


class Unit(StrEnum):
    """US cents are counted by the month, tokens by the day; both begin at midnight UTC."""

    CENTS = "cents"
    TOKENS = "tokens"

    def period_of(self, at: datetime) -> datetime:
        """Its first instant."""
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight if self is Unit.TOKENS else midnight.replace(day=1)


@dataclass(frozen=True, slots=True)
class Budget:
    """`id` is that of the holder. Tokens are those read and written, cached ones too."""

    holder: Holder
    id: str
    unit: Unit
    limit: int

    @property
    def subject(self) -> str:
        return f"{self.holder}:{self.id}:{self.unit}"


class BudgetWarning(SQLModel, table=True):
    """Somebody was told that most of a budget is used: once in each period, which is `since`."""

    __tablename__ = "budget_warnings"

    subject: str = Field(primary_key=True)
    since: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
