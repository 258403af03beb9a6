"""Another encryption key for what is stored."""

from typing import Final

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, Unavailable
from goclaw.core.ids import uuid7
from goclaw.models.sealed import SealedColumn
from goclaw.models.system import KeyRotation
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import operation
from goclaw.security.key_file import new_key
from goclaw.security.key_ring import KeyRing
from goclaw.security.keys import Key
from goclaw.security.reencryption import OnMoved, Reencryption, Remains
from goclaw.security.stored_secrets import refuse_unknown_keys, stored_secrets

IN_FLIGHT_S: Final = 600
"""Far longer than a write takes that was encrypted just before the keys changed."""


@operation(Scope.ADMIN)
async def rotate_encryption(
    ctx: Context,
    on_moved: OnMoved,
    key: Key | None = None,
    *,
    discard: bool = False,
    forget: bool = False,
) -> KeyRotation:
    """Moves every stored secret under the key that writes. Where that is in a file of our own,
    it is `key`, or a new one; but a rotation that was cut short is finished first.

    `discard` gives up what cannot be read. `forget` takes no new key: it drops the older ones.
    Raises Unavailable without a key, Conflict for a `key` beside one from the settings and for
    keys that cannot be forgotten yet, UnusableKey for a file that cannot be written.
    """
    keys = ctx.services.vault.keys
    older = _forgettable(keys) if forget else []
    if not keys.reading() and not discard:
        await refuse_unknown_keys(ctx.services.database, ctx.services.vault)
    is_new = not forget and await _takes_new_key(ctx, key)
    moved = _Counter(on_moved)
    work = Reencryption(ctx.services.database, ctx.services.vault, moved)
    remains = await work.run()
    discarded = 0
    if discard and remains.unreadable:
        discarded = await work.discard(remains.unreadable)
        remains = await work.run()
    if forget:
        _forget(keys, older, remains)
    rotation = _rotation(keys, remains, is_new, moved.count, discarded, older)
    await _announce(ctx, rotation)
    return rotation


class _Counter:
    def __init__(self, on_moved: OnMoved) -> None:
        self.count = 0
        self._on_moved = on_moved

    def __call__(self, place: SealedColumn, moved: int) -> None:
        self.count += moved
        self._on_moved(place, moved)


async def _takes_new_key(ctx: Context, key: Key | None) -> bool:
    """Whether there is a new key now. The file has it before anything is encrypted with it."""
    keys = ctx.services.vault.keys
    if keys.file is None or keys.is_configured:
        if key is not None:
            raise Conflict("encryption_key_configured")
        return False
    writing = keys.writing()
    if key is None and writing is not None and await _is_unfinished(ctx, writing):
        return False
    added = key or new_key()
    keys.file.add(added)
    return added != writing


async def _is_unfinished(ctx: Context, writing: Key) -> bool:
    """Whether something that can be read is under another key than the one that writes."""
    groups = await stored_secrets(ctx.services.database, ctx.services.vault)
    return any(group.opens and group.group.key != writing.id for group in groups)


def _forgettable(keys: KeyRing) -> list[str]:
    """Settled before anything is moved: a key that comes meanwhile makes none of ours older."""
    if keys.file is None or keys.is_configured or keys.file.stamp() is None:
        raise Conflict("encryption_keys_not_ours")
    age_s = int(keys.file.age_s())
    if age_s < IN_FLIGHT_S:
        raise Conflict("encryption_key_too_new", age_s=age_s, wait_s=IN_FLIGHT_S - age_s)
    return [key.id for key in keys.file.read()[1:]]


def _forget(keys: KeyRing, older: list[str], remains: Remains) -> None:
    left = {**remains.busy, **{place: len(rows) for place, rows in remains.unreadable.items()}}
    if left:
        columns = ", ".join(map(str, left))
        raise Conflict("encryption_keys_needed", count=sum(left.values()), columns=columns)
    if keys.file is not None:
        keys.file.forget(older)
        keys.writing()


def _rotation(
    keys: KeyRing,
    remains: Remains,
    is_new: bool,
    reencrypted: int,
    discarded: int,
    forgotten: list[str],
) -> KeyRotation:
    writing = keys.writing()
    if writing is None:
        raise Unavailable("encryption_key_missing")
    return KeyRotation(
        id=uuid7(),
        key_id=writing.id,
        is_new=is_new,
        reencrypted=reencrypted,
        discarded=discarded,
        unreadable=[
            f"{place} of {row.label}" for place, rows in remains.unreadable.items() for row in rows
        ],
        busy=sum(remains.busy.values()),
        reading=[key.id for key in keys.reading() if key != writing],
        forgotten=forgotten,
    )


async def _announce(ctx: Context, rotation: KeyRotation) -> None:
    if not (rotation.is_new or rotation.reencrypted or rotation.discarded or rotation.forgotten):
        return
    details = rotation.model_dump(exclude={"id", "unreadable", "busy", "reading"})
    async with ctx.db() as db:
        ctx.announce(db, "encryption.rotated", rotation, **details)
