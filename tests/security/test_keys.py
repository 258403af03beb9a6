"""Encryption keys: their forms, where they come from, and the file that holds them."""

import stat
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from goclaw.core.errors import Unavailable
from goclaw.core.settings import Settings, load_settings
from goclaw.security.key_file import KeyFile, new_key
from goclaw.security.key_ring import KeyRing, key_ring
from goclaw.security.keys import UnusableKey, parse_key
from tests.support.vaults import key_of

RAW = bytes(range(32))
A, B, C = key_of("a"), key_of("b"), key_of("c")


@pytest.mark.parametrize("text", [RAW.hex(), RAW.hex().upper(), b64encode(RAW).decode(), "k" * 32])
def test_three_forms_of_a_key(text: str) -> None:
    assert parse_key(text).raw == (b"k" * 32 if text[0] == "k" else RAW)


@pytest.mark.parametrize(
    "text",
    ["", "short", "k" * 33, "z" * 64, "é" * 32, "\ud800" * 32, "é" * 43 + "=",
     b64encode(b"x" * 31).decode(), "!" * 43 + "="],
)  # fmt: skip
def test_anything_else_is_no_key(text: str) -> None:
    with pytest.raises(UnusableKey) as caught:
        parse_key(text, "HERE")
    assert str(caught.value).startswith("HERE: ")
    assert not text or text not in str(caught.value)


def test_a_key_does_not_show_itself() -> None:
    assert "aaaa" not in repr(A)
    assert A.raw.hex() not in repr(A)
    assert len(A.id) == 8


def test_the_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = KeyFile(tmp_path)
    assert (file.read(), file.stamp(), file.age_s()) == ([], None, 0)
    file.make()
    first = file.read()
    file.make()
    assert file.read() == first
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file.path]


def test_a_new_key_comes_first_and_the_old_one_stays(tmp_path: Path) -> None:
    file = KeyFile(tmp_path)
    for key in (A, B, C):
        file.add(key)
    assert file.read() == [C, B, A]
    file.add(A)
    assert file.read() == [A, C, B]
    file.forget([A.id, C.id])
    assert file.read() == [A, B]
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_of_keys_added_at_once_none_is_lost(tmp_path: Path) -> None:
    added = [new_key() for _ in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: KeyFile(tmp_path).add(key), added))
    assert sorted(key.id for key in KeyFile(tmp_path).read()) == sorted(key.id for key in added)


def test_servers_that_start_at_once_agree(tmp_path: Path) -> None:
    def start(_: int) -> list[str]:
        file = KeyFile(tmp_path)
        file.make()
        return [key.id for key in file.read()]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(start, range(16)))
    assert found == [found[0]] * 16


@pytest.mark.parametrize("content", [b"", b"\n", b"too short\n", b"\xff" * 32, b"k" * 32 + b"\nx"])
def test_a_bad_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "encryption.key").write_bytes(content)
    for use in (KeyFile(tmp_path).read, KeyFile(tmp_path).make, lambda: KeyFile(tmp_path).add(A)):
        with pytest.raises(UnusableKey, match=r"^/.*/encryption\.key: "):
            use()
    assert (tmp_path / "encryption.key").read_bytes() == content


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableKey, match="No such file"):
        KeyFile(tmp_path / "gone").make()
    (tmp_path / "encryption.key").mkdir()
    with pytest.raises(UnusableKey, match="Is a directory"):
        KeyFile(tmp_path).read()
    (tmp_path / "file").touch()
    with pytest.raises(UnusableKey, match="Not a directory"):
        KeyFile(tmp_path / "file").stamp()


def test_a_link_laid_for_us_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "encryption.new").symlink_to(victim)
    with pytest.raises(UnusableKey):
        KeyFile(tmp_path).make()
    assert victim.read_text() == "precious"


def ids(ring: KeyRing) -> list[str]:
    return [key.id for key in ring.reading()]


def test_a_running_server_takes_up_a_new_key(tmp_path: Path) -> None:
    file = KeyFile(tmp_path)
    file.add(A)
    ring = KeyRing(file=KeyFile(tmp_path))
    assert ring.writing() == A
    file.add(B)
    assert ids(ring) == [A.id]
    assert ring.find(B.id) == B
    file.add(C)
    assert ring.writing() == C
    assert ids(ring) == [C.id, B.id, A.id]
    assert ring.find("00000000") is None


def test_a_file_that_is_made_later_is_found(tmp_path: Path) -> None:
    ring = KeyRing(file=KeyFile(tmp_path))
    assert ring.writing() is None
    KeyFile(tmp_path).add(A)
    assert ring.writing() == A


@pytest.mark.parametrize("harm", ["gone", "bad"])
def test_a_file_that_goes_bad_is_not_written_with_but_read_on(tmp_path: Path, harm: str) -> None:
    file = KeyFile(tmp_path)
    file.add(A)
    ring = KeyRing(file=KeyFile(tmp_path))
    if harm == "gone":
        file.path.unlink()
    else:
        file.path.write_text("rubbish")
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            ring.writing()
        assert caught.value.code == "encryption_key_unusable"
        assert str(tmp_path) not in str(caught.value)
    assert ring.find(A.id) == A
    file.path.unlink(missing_ok=True)
    file.add(B)
    assert ring.writing() == B


def settings_with(folder: Path, current: str | None = None, old: str | None = None) -> Settings:
    given = {"encryption_key": current, "old_encryption_keys": old}
    return load_settings(data_dir=folder, **given)


def test_keys_of_the_settings_come_before_those_of_the_file(tmp_path: Path) -> None:
    KeyFile(tmp_path).add(C)
    settings = settings_with(tmp_path, "a" * 32, f" {'b' * 32} ,{'a' * 32},")
    ring = key_ring(settings, embedded=True)
    assert (ids(ring), ring.writing(), ring.is_configured) == ([A.id, B.id, C.id], A, True)
    (tmp_path / "encryption.key").unlink()
    assert ring.writing() == A
    assert ids(key_ring(settings, embedded=False)) == [A.id, B.id]


def test_only_older_keys_read_but_do_not_write(tmp_path: Path) -> None:
    ring = key_ring(settings_with(tmp_path, old="a" * 32), embedded=False)
    assert (ring.writing(), ids(ring), ring.find(A.id)) == (None, [A.id], A)


@pytest.mark.parametrize(
    ("current", "old", "named"),
    [
        ("bad", None, "GOCLAW_ENCRYPTION_KEY: "),
        ("k" * 32, f"{'a' * 32},bad", "GOCLAW_OLD_ENCRYPTION_KEYS: "),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, current: str, old: str, named: str) -> None:
    with pytest.raises(UnusableKey, match=f"^{named}"):
        key_ring(settings_with(tmp_path, current, old), embedded=False)
