"""What runs used, by day: the accounts of those that are no longer kept one by one."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Numeric
from sqlmodel import Field, SQLModel


class UsageDay(SQLModel, table=True):
    """`day` is its first instant, in UTC. `cost_usd` sums the known costs; `unpriced_runs` are
    those of which none is known.
    """

    __tablename__ = "usage_days"
    __table_args__ = (Index("usage_days_user", "user_id", "day"),)

    day: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    agent_id: UUID = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    provider_name: str = Field(primary_key=True)
    model: str = Field(primary_key=True)
    runs: int = 0
    unpriced_runs: int = 0
    input_tokens: int = Field(default=0, sa_type=BigInteger)
    output_tokens: int = Field(default=0, sa_type=BigInteger)
    cached_tokens: int = Field(default=0, sa_type=BigInteger)
    cost_usd: Decimal = Field(default=Decimal(0), sa_type=Numeric(20, 8))
