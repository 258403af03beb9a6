"""What the parent says to a child, over the child's stdin."""

import pickle
import sys
from typing import IO

from goclaw.core.host import Host


def send(pipe: IO[bytes], host: Host) -> None:
    pickle.dump(host, pipe)
    pipe.flush()


def receive() -> Host:
    """Ends the process when the parent is gone before it has given orders."""
    try:
        host = pickle.load(sys.stdin.buffer)  # noqa: S301 - the other end is our own parent
    except EOFError:
        sys.exit(1)
    if not isinstance(host, Host):
        sys.exit(f"expected a Host, got {type(host).__name__}")
    return host
