"""The parent process: starts everything in order, keeps it running, stops it in reverse."""

import http.client
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from goclaw.cli.child import Child
from goclaw.cli.signals import StopSignals
from goclaw.core.errors import Unavailable
from goclaw.core.host import Host
from goclaw.core.settings import Settings
from goclaw.embedded.local_model import LocalModelProcess
from goclaw.embedded.postgres import EmbeddedPostgres
from goclaw.embedded.process import Backoff
from goclaw.security.tls import local_context

POLL_S: Final = 0.01
WATCH_S: Final = 1.0
AFTER_GRACE_S: Final = 5.0
"""What a worker gets for its own clean-up once open requests have had their time."""

BACKLOG: Final = 2048

log = structlog.get_logger()


class StartFailed(Exception):
    """The text says why, in one line."""


class StoppedEarly(Exception):
    """A signal came before the server was ready."""


class Supervisor:
    """`app` and `prepare` are import strings: a factory and a coroutine function that take a
    `Host`; the second makes the database ready, or refuses to. `on_ready` is called once,
    when the first request was answered.
    """

    def __init__(
        self, settings: Settings, *, app: str, prepare: str, on_ready: Callable[[Host], None]
    ) -> None:
        self._settings = settings
        self._app = app
        self._prepare = prepare
        self._on_ready = on_ready
        self._signals = StopSignals()
        self._listener: socket.socket | None = None
        self._postgres: EmbeddedPostgres | None = None
        self._postgres_backoff = Backoff()
        self._model: LocalModelProcess | None = None
        self._workers: list[Child] = []
        self._migrator: Child | None = None

    def run(self) -> None:
        """Returns after a stop signal. Raises StartFailed, and the errors of the database."""
        with self._signals:
            try:
                host = self._start()
                while self._signals.count == 0:
                    self._signals.wait(WATCH_S)
                    self._watch(host)
            except StoppedEarly:
                log.info("stopped before it was ready")
            finally:
                self._stop()

    def _start(self) -> Host:
        if self._settings.postgres_dsn is None:
            self._postgres = EmbeddedPostgres(
                self._settings.data_dir, self._settings.db_connections
            )
            self._postgres.reserve()
        self._listener = listen(self._settings)
        self._start_children(self._listener.fileno())
        host = self._host_with_database(self._listener.getsockname()[1])
        self._prepare_database(host)
        for worker in self._workers:
            worker.order(host)
        self._wait_until(lambda: self._is_answering(host.port))
        if self._model is not None:
            self._model.start()
        self._on_ready(host)
        return host

    def _start_children(self, fd: int) -> None:
        """They spend their first second importing, while the database starts."""
        self._migrator = Child("goclaw.cli.migrator", self._prepare)
        self._workers = [
            Child("goclaw.cli.worker", self._app, str(fd), keep_fds=(fd,))
            for _ in range(self._settings.workers)
        ]

    def _host_with_database(self, port: int) -> Host:
        missing = ""
        if self._settings.local_model:
            try:
                self._model = LocalModelProcess()
            except Unavailable as error:
                missing = str(error.params["reason"])
        else:
            missing = "it is switched off by GOCLAW_LOCAL_MODEL"
        return Host(
            settings=self._settings,
            dsn=self._database_dsn(),
            started_at=datetime.now(UTC),
            port=port,
            workers=self._settings.workers,
            embedded_database=self._postgres is not None,
            local_model=self._model.address if self._model else None,
            local_model_missing=missing,
        )

    def _database_dsn(self) -> str:
        if self._settings.postgres_dsn is not None:
            return self._settings.postgres_dsn.get_secret_value()
        assert self._postgres is not None
        self._postgres.launch()
        self._wait_until(self._postgres.is_ready)
        self._postgres_backoff.started()
        return self._postgres.database.dsn

    def _prepare_database(self, host: Host) -> None:
        migrator = self._migrator
        assert migrator is not None
        migrator.order(host)
        self._wait_until(lambda: migrator.status is not None)
        if migrator.status != 0:
            raise StartFailed("the database is not ready to be used")

    def _is_answering(self, port: int) -> bool:
        if any(worker.status is not None for worker in self._workers):
            raise StartFailed("a worker ended while starting")
        connection = own_connection(self._settings, port)
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self._signals.count:
                raise StoppedEarly
            self._signals.wait(POLL_S)

    def _watch(self, host: Host) -> None:
        for worker in self._workers:
            if worker.may_restart():
                log.error("worker died, starting another", pid=worker.pid, status=worker.status)
                worker.restart(host)
        if self._model is not None:
            self._model.keep_running()
        if (
            self._postgres is not None
            and self._postgres.has_died()
            and self._postgres_backoff.due()
        ):
            self._postgres.relaunch()
            self._postgres_backoff.started()

    def _stop(self) -> None:
        if self._listener is not None:
            self._listener.close()
        children = [*self._workers, *([self._migrator] if self._migrator else [])]
        for child in children:
            child.ask_to_stop()
        self._await_end(children)
        for child in children:
            child.kill()
        if self._model is not None:
            self._model.stop()
        if self._postgres is not None:
            self._postgres.stop()

    def _await_end(self, children: list[Child]) -> None:
        """Until all have ended, their time is over, or a second signal came."""
        signals_before = max(self._signals.count, 1)
        deadline = time.monotonic() + self._settings.shutdown_grace_s + AFTER_GRACE_S
        while any(child.status is None for child in children):
            if self._signals.count > signals_before:
                log.warning("second signal, stopping at once")
                return
            if time.monotonic() > deadline:
                log.warning("workers did not stop in time, ending them")
                return
            self._signals.wait(POLL_S)


def listen(settings: Settings) -> socket.socket:
    """Raises StartFailed when the address is taken or is not ours."""
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server(
            (settings.host, settings.port), family=family, backlog=BACKLOG
        )
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise StartFailed(f"cannot listen on {where}: {error.strerror or error}") from error
    listener.set_inheritable(True)
    return listener


def own_connection(settings: Settings, port: int) -> http.client.HTTPConnection:
    host = _own_address(settings.host)
    if settings.tls_certificate is None:
        return http.client.HTTPConnection(host, port, timeout=1)
    context = local_context(settings)
    return http.client.HTTPSConnection(host, port, timeout=1, context=context)


def _own_address(host: str) -> str:
    """Where this machine reaches a server that listens on `host`."""
    if host in {"0.0.0.0", ""}:  # noqa: S104
        return "127.0.0.1"
    if host == "::":
        return "::1"
    return host
