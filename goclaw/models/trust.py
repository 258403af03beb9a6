"""What workers agree on about what they remember of the database."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from goclaw.models.shapes import timestamp


class TrustEpoch(SQLModel, table=True):
    """One row. The number grows in every transaction that makes remembered rows wrong."""

    __tablename__ = "trust_epoch"

    id: int = Field(primary_key=True)
    epoch: int = Field(sa_type=BigInteger)


class TrustingWorker(SQLModel, table=True):
    """A worker that may remember something, until `seen_at` is half a minute ago."""

    __tablename__ = "trusting_workers"

    name: str = Field(primary_key=True)
    seen_at: datetime = timestamp()
