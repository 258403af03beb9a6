"""Builds everything once: the services of a worker, and the doors in front of them."""

from goclaw.app.gateway import Gateway
from goclaw.app.services import open_services
from goclaw.core.host import Host
from goclaw.store.migrate import database_version, migrate, newest_version

__all__ = ["create_app", "database_version", "migrate", "newest_version", "open_services"]


def create_app(host: Host) -> Gateway:
    """The ASGI application of one worker."""
    return Gateway(host)
