"""The encryption keys of a server: one that writes, and older ones that still read."""

from collections.abc import Sequence
from typing import Final

import structlog
from pydantic import SecretStr

from goclaw.core.errors import Unavailable
from goclaw.core.settings import Settings
from goclaw.security.key_file import KeyFile, Stamp
from goclaw.security.keys import CURRENT_SETTING, Key, UnusableKey, parse_key

log = structlog.get_logger()

OLDER_SETTING: Final = "GOCLAW_OLD_ENCRYPTION_KEYS"


class KeyRing:
    """`current` and `older` are those of the settings, and come first.

    The file is looked at again when a key is not known, and before one writes: a running
    server has the new key before it meets anything that was encrypted with it, and writes
    nothing more with the old one. Making a ring raises UnusableKey.
    """

    def __init__(
        self, current: Key | None = None, older: Sequence[Key] = (), file: KeyFile | None = None
    ) -> None:
        self.file = file
        self._configured = current
        self._older = tuple(older)
        self._stamp: Stamp | None = None
        self._writing: Key | None = None
        self._keys: dict[str, Key] = {}
        self._read(file.stamp() if file else None)

    @property
    def is_configured(self) -> bool:
        """The key that writes comes from the settings, not from a file of our own."""
        return self._configured is not None

    def writing(self) -> Key | None:
        """Raises Unavailable when the file is gone or has become unusable."""
        self._read_again()
        return self._writing

    def reading(self) -> list[Key]:
        """All of them, the one that writes first."""
        return list(self._keys.values())

    def find(self, id: str) -> Key | None:
        """Raises Unavailable when the file is gone or has become unusable."""
        if id not in self._keys:
            self._read_again()
        return self._keys.get(id)

    def _read_again(self) -> None:
        if self.file is None:
            return
        try:
            stamp = self.file.stamp()
            if stamp == self._stamp:
                return
            if stamp is None and not self.is_configured:
                raise UnusableKey(f"{self.file.path}: the file is gone")
            self._read(stamp)
        except UnusableKey as error:
            log.error("encryption_key.unusable", reason=str(error))
            raise Unavailable("encryption_key_unusable") from error

    def _read(self, stamp: Stamp | None) -> None:
        in_file = self.file.read() if self.file else []
        self._writing = self._configured or next(iter(in_file), None)
        first = [self._writing] if self._writing else []
        self._keys = {key.id: key for key in (*first, *self._older, *in_file)}
        self._stamp = stamp


def key_ring(settings: Settings, *, embedded: bool) -> KeyRing:
    """`embedded`: the server's own database, and so a file of keys beside it.

    Raises UnusableKey, which names the setting or the file.
    """
    current = settings.encryption_key
    return KeyRing(
        None if current is None else _parsed(current, CURRENT_SETTING),
        [_parsed(key, OLDER_SETTING) for key in settings.old_encryption_keys],
        KeyFile(settings.data_dir) if embedded else None,
    )


def _parsed(key: SecretStr, setting: str) -> Key:
    return parse_key(key.get_secret_value(), setting)
