"""Answers kept for a day, so that a repeated request is not carried out twice."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from goclaw.models.shapes import timestamp


class IdempotentRequest(SQLModel, table=True):
    """`request_hash` tells a repeat from another request under the same key;
    `secret` is the ciphertext of what the first answer showed once.
    """

    __tablename__ = "idempotent_requests"

    actor: str = Field(primary_key=True)
    operation: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request_hash: bytes
    result_id: UUID
    secret: str | None = None
    created_at: datetime = timestamp(index=True)
