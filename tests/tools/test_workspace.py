"""No path, link or race leads out of a workspace; its limits hold; users have their own."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goclaw.tools import workspace as module
from goclaw.tools.paths import MAX_NAME_BYTES, PathRefused, parts_of
from goclaw.tools.workspace import FileRefused, Limits, Workspace, Workspaces, folder_of

SECRET = "the secret outside"
PIECES = st.sampled_from(
    [
        "..", ".", "", "a", "b", "notes.txt", "in", "out", "up", "file-link", "hard", "pipe",
        "broken", "loop", "secret.txt", "%2e%2e", "..\\", "\u2024\u2024", "\uff0e\uff0e", "~",
        ".GoClaw-x", ".goclaw", "\x00", "etc", "x" * 300, "proc", "self", "$HOME",
    ]
)  # fmt: skip
PATHS = st.one_of(
    st.lists(PIECES, max_size=6).map("/".join),
    st.lists(PIECES, max_size=4).map(lambda parts: "/" + "/".join(parts)),
    st.text(max_size=20),
)
WRITES = st.sampled_from(["read", "write", "edit", "list"])


@contextmanager
def hostile() -> Iterator[tuple[Workspace, Path]]:
    """A workspace full of links to what lies beside it."""
    with TemporaryDirectory(prefix="goclaw-test-") as folder:
        outside, inside = Path(folder, "outside"), Path(folder, "inside")
        (outside / "in").mkdir(parents=True)
        (outside / "secret.txt").write_text(SECRET)
        (outside / "in" / "secret.txt").write_text(SECRET)
        (inside / "a" / "b").mkdir(parents=True)
        (inside / "notes.txt").write_text("mine")
        (inside / "a" / "notes.txt").write_text("mine")
        (inside / "out").symlink_to(outside)
        (inside / "up").symlink_to("..")
        (inside / "a" / "out").symlink_to("../../outside")
        (inside / "file-link").symlink_to(outside / "secret.txt")
        (inside / "broken").symlink_to(outside / "new.txt")
        (inside / "loop").symlink_to("loop")
        (outside / "linked.txt").write_text(SECRET)
        (inside / "hard").hardlink_to(outside / "linked.txt")
        os.mkfifo(inside / "pipe")
        yield Workspace(inside, Limits(write_bytes=1000, files=50, total_bytes=5000)), outside


def tell(workspace: Workspace, what: str, path: str) -> str:
    """What is told of a path. Refusals are all that may be raised."""
    try:
        if what == "read":
            return workspace.read(path, 1000).decode()
        if what == "write":
            workspace.write(path, b"overwritten")
        elif what == "edit":
            return str(workspace.edit(path, "secret", "overwritten", every=True))
        else:
            return "".join(f"[{entry.path}]" for entry in workspace.entries(path, 100)[0])
    except (PathRefused, FileRefused) as error:
        return str(error)
    return ""


def state(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


def assert_nothing_leaves(what: str, path: str) -> None:
    with hostile() as (workspace, outside):
        before = state(outside)
        beside = set(outside.parent.iterdir())
        told = tell(workspace, what, path)
        assert SECRET not in told
        assert state(outside) == before
        assert set(outside.parent.iterdir()) == beside
        assert "secret.txt]" not in told


@settings(deadline=None)
@given(WRITES, PATHS)
def test_no_path_leads_out(what: str, path: str) -> None:
    assert_nothing_leaves(what, path)


ESCAPES = [
    ("read", "out/secret.txt"),
    ("read", "file-link"),
    ("read", "hard"),
    ("write", "out/new.txt"),
    ("write", "broken"),
    ("write", "hard"),
    ("edit", "out/secret.txt"),
    ("edit", "hard"),
    ("read", "a/out/in/secret.txt"),
    ("write", "up/new.txt"),
]


@pytest.mark.parametrize(("what", "path"), ESCAPES)
def test_links_are_not_followed(what: str, path: str) -> None:
    assert_nothing_leaves(what, path)


@pytest.mark.parametrize(("flags", "path"), [("_FOLDER", "out/secret.txt"), ("_READ", "file-link")])
def test_the_property_finds_a_planted_mistake(
    monkeypatch: pytest.MonkeyPatch, flags: str, path: str
) -> None:
    monkeypatch.setattr(module, flags, getattr(module, flags) & ~os.O_NOFOLLOW)
    if flags == "_READ":
        monkeypatch.setattr(module, "_refuse_odd", lambda found, path: None)
    with pytest.raises(AssertionError):
        assert_nothing_leaves("read", path)


def test_the_property_finds_a_planted_mistake_in_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FOLDER", module._FOLDER & ~os.O_NOFOLLOW)
    with pytest.raises(AssertionError):
        assert_nothing_leaves("list", "out")


def test_the_property_finds_a_planted_mistake_in_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "parts_of", lambda path: tuple(path.split("/")))
    with pytest.raises(AssertionError):
        assert_nothing_leaves("read", "../outside/secret.txt")
    with pytest.raises(AssertionError):
        assert_nothing_leaves("write", "../outside/new.txt")


def test_weakness_42_a_path_exchanged_between_check_and_use_leads_nowhere() -> None:
    with hostile() as (workspace, outside):
        folder = workspace.folder
        swapped = folder / "swapped"
        good, evil = folder / "good", folder / "evil"
        good.mkdir()
        (good / "secret.txt").write_text("mine")
        evil.symlink_to(outside)
        stop = threading.Event()

        def swap() -> None:
            while not stop.is_set():
                for source in (good, evil):
                    source.rename(swapped)
                    swapped.rename(source)

        thread = threading.Thread(target=swap)
        thread.start()
        try:
            before = state(outside)
            for _ in range(300):
                assert SECRET not in tell(workspace, "read", "swapped/secret.txt")
                tell(workspace, "edit", "swapped/secret.txt")
                tell(workspace, "list", "swapped")
            assert state(outside) == before
        finally:
            stop.set()
            thread.join()


@settings(deadline=None)
@given(st.text(min_size=1), st.text(min_size=1))
def test_weakness_42_users_have_folders_of_their_own(one: str, other: str) -> None:
    assert (folder_of(one) == folder_of(other)) == (one == other)
    assert parts_of(folder_of(one)) == (folder_of(one),)
    assert len(folder_of(one).encode()) < MAX_NAME_BYTES
    assert folder_of(one).isascii()


def test_weakness_42_ids_that_look_alike(tmp_path: Path) -> None:
    agent = uuid4()
    spaces = Workspaces(tmp_path)
    ids = ["a.b", "a_b", "A.b", "a/b", "../a", "a b", "é", "e\u0301", "a" * 255, ""]
    folders = {spaces.workspace(agent, id).folder for id in ids}
    assert len(folders) == len(ids)
    assert all(folder.parent == tmp_path / str(agent) for folder in folders)
    assert spaces.workspace(uuid4(), "a.b").folder not in folders


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    limits = Limits(write_bytes=100, files=5, total_bytes=250)
    return Workspace(tmp_path / "space", limits)


def test_a_file_is_written_read_and_listed(workspace: Workspace) -> None:
    workspace.write("a/b/c.txt", b"hello")
    workspace.write("./a//b/c.txt", b"hello again")
    assert workspace.read("a/b/c.txt", 100) == b"hello again"
    entries, whole = workspace.entries("", 10)
    assert [(entry.path, entry.size_bytes) for entry in entries] == [
        ("a", None),
        ("a/b", None),
        ("a/b/c.txt", 11),
    ]
    assert whole
    assert workspace.entries("a", 1) == (entries[1:2], False)
    assert oct((workspace.folder / "a/b/c.txt").stat().st_mode & 0o777) == "0o600"


def test_limits_of_size_and_number(workspace: Workspace) -> None:
    with pytest.raises(FileRefused, match="101 bytes; the limit is 100"):
        workspace.write("a", b"x" * 101)
    for name in ("a", "b"):
        workspace.write(name, b"x" * 100)
    with pytest.raises(FileRefused, match="the limit is 250"):
        workspace.write("c", b"x" * 51)
    workspace.write("a", b"")
    for name in ("c", "d", "e"):
        workspace.write(name, b"x")
    for path in ("f", "folder/f"):
        with pytest.raises(FileRefused, match="5 files and folders"):
            workspace.write(path, b"")
    with pytest.raises(FileRefused, match="the limit is 10"):
        workspace.read("b", 10)
    assert workspace.usage().files == 5


def test_what_an_edit_would_make_too_large_stays(workspace: Workspace) -> None:
    workspace.write("a", b"x" * 60)
    with pytest.raises(FileRefused, match="the limit is 100"):
        workspace.edit("a", "x", "yy", every=True)
    assert workspace.read("a", 100) == b"x" * 60


def test_an_edit_matches_once_unless_told_otherwise(workspace: Workspace) -> None:
    workspace.write("a", b"one two one")
    with pytest.raises(FileRefused, match="2 times"):
        workspace.edit("a", "one", "1", every=False)
    with pytest.raises(FileRefused, match="does not occur"):
        workspace.edit("a", "three", "3", every=False)
    assert workspace.edit("a", "two", "2", every=False) == 1
    assert workspace.edit("a", "one", "1", every=True) == 2
    assert workspace.read("a", 100) == b"1 2 1"


def test_edits_at_once_lose_nothing(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "space", Limits())
    workspace.write("a", b"0")
    threads = [
        threading.Thread(target=workspace.edit, args=("a", "0", "0x"), kwargs={"every": False})
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert workspace.read("a", 100) == b"0" + b"x" * 20


def test_what_a_writer_that_died_left_behind_goes(workspace: Workspace) -> None:
    workspace.write("a", b"x")
    left = workspace.folder / ".goclaw-0123"
    left.write_text("half")
    assert [entry.path for entry in workspace.entries("", 10)[0]] == ["a"]
    with pytest.raises(PathRefused):
        workspace.read(".goclaw-0123", 10)
    workspace.write("a", b"y")
    assert not left.exists()


@pytest.mark.parametrize(
    "path",
    ["", ".", "/", "..", "a/../b", "/etc/passwd", ".goclaw", ".GOCLAW-1", "\uff0egoclaw", "a\nb",
     "a\x00b", "x" * 300, "é" * 200, "/".join("a" * 21), "a" * 1001, "\ud800"],
    ids=ascii,
)  # fmt: skip
def test_paths_that_are_refused(workspace: Workspace, path: str) -> None:
    with pytest.raises(PathRefused):
        workspace.write(path, b"x")
    assert list(workspace.folder.parent.rglob("*")) in ([], [workspace.folder])


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    assert Workspaces(tmp_path / "new").is_usable()
    (tmp_path / "file").write_text("")
    assert not Workspaces(tmp_path / "file").is_usable()


def test_what_a_user_has_is_forgotten_and_nothing_else(tmp_path: Path) -> None:
    spaces = Workspaces(tmp_path / "spaces")
    spaces.forget("ada")
    agents = [uuid4(), uuid4()]
    for agent in agents:
        for user in ("ada", "bob"):
            spaces.workspace(agent, user).write("a/b", b"x")
    (spaces.workspace(agents[0], "ada").folder / "out").symlink_to(
        spaces.workspace(agents[0], "bob").folder
    )
    spaces.forget("ada")
    for agent in agents:
        assert not spaces.workspace(agent, "ada").folder.exists()
        assert spaces.workspace(agent, "bob").read("a/b", 10) == b"x"
