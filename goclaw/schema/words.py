"""What the types of several entities share."""

from dataclasses import dataclass
from typing import Annotated, TypeVar
from uuid import UUID

import strawberry

from goclaw.schema.field import argument, described

T = TypeVar("T")

Id = Annotated[UUID, argument("Its id.")]
In = Annotated[T, argument("What is to be done.")]


@strawberry.type(description="What was deleted.")
class Deleted:
    id: UUID = described("The id of what is gone.")


@dataclass(frozen=True, slots=True)
class Gone:
    """The row behind Deleted."""

    id: UUID
