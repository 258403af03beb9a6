"""What runs used: by hour, for good; and by day, for those that were deleted uncounted."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Numeric
from sqlmodel import Field, SQLModel

from goclaw.models.shapes import View, instant_or_null


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


class UsageHour(SQLModel, table=True):
    """What the runs that ended in an hour used; `hour` is its first instant, in UTC.

    Model calls, tokens and costs stand with the provider and model that were asked. A run, its
    failure, duration and tool calls stand with the one that was asked last, so that they are
    counted once. `cost_usd` sums the known costs; `unpriced_calls` have none that is known.
    """

    __tablename__ = "usage_hours"
    __table_args__ = (
        Index("usage_hours_user", "user_id", "hour"),
        Index("usage_hours_agent", "agent_id", "hour"),
    )

    hour: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    agent_id: UUID = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    provider_name: str = Field(primary_key=True)
    model: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    runs: int = 0
    failed_runs: int = 0
    duration_ms: int = Field(default=0, sa_type=BigInteger)
    model_calls: int = 0
    unpriced_calls: int = 0
    tool_calls: int = 0
    input_tokens: int = Field(default=0, sa_type=BigInteger)
    output_tokens: int = Field(default=0, sa_type=BigInteger)
    cached_tokens: int = Field(default=0, sa_type=BigInteger)
    cache_write_tokens: int = Field(default=0, sa_type=BigInteger)
    reasoning_tokens: int = Field(default=0, sa_type=BigInteger)
    cost_usd: Decimal = Field(default=Decimal(0), sa_type=Numeric(20, 8))


class UsageCounted(SQLModel, table=True):
    """One row: all runs that ended before `until` are in `usage_hours`. It stands for what that
    table holds, so the two are written together, and saved together.
    """

    __tablename__ = "usage_counted"

    id: int = Field(default=1, primary_key=True)
    until: datetime | None = instant_or_null()


class UsagePeriod(StrEnum):
    """A span of time that ends now; `today` begins at midnight in UTC."""

    HOUR = "1h"
    DAY = "24h"
    TODAY = "today"
    WEEK = "7d"
    MONTH = "30d"


class UsageStep(StrEnum):
    HOUR = "hour"
    DAY = "day"


class UsageGroup(StrEnum):
    PROVIDER = "provider"
    MODEL = "model"
    CHANNEL = "channel"
    AGENT = "agent"


class UsageFigures(View):
    """Sums. `users` are counted once each, however many hours they were there; a duration is
    that of a run on average, null without runs.
    """

    runs: int
    failed_runs: int
    users: int
    avg_duration_ms: int | None
    model_calls: int
    unpriced_calls: int
    tool_calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_usd: Decimal


class UsagePoint(UsageFigures):
    """`at` is the first instant of the hour or day, in UTC."""

    at: datetime


class UsageShare(UsageFigures):
    """What one provider, model, channel or agent has of it; of an agent `key` is the id."""

    key: str
    agent_id: UUID | None
