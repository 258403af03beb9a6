"""Rows loaded together, once each: what a Context loads by id."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

from strawberry.dataloader import DataLoader

K = TypeVar("K")
T = TypeVar("T")


class Loader(DataLoader[K, T]):
    """Whoever stops waiting for a row takes it from nobody else: the library hands the same future
    to all who ask for it, which the first to be cancelled would cancel, and adds loads to a batch
    that it has called off. Clearing what was never loaded is no error.
    """

    def load(self, key: K) -> Awaitable[T]:
        return asyncio.shield(super().load(key))

    def clear(self, key: K) -> None:
        with suppress(KeyError):
            super().clear(key)
