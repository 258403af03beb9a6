"""Makes the database ready for workers: `python -m goclaw.cli.migrator <async callable>`.

A process of its own, so that the parent stays small and waits for no import.
"""

import asyncio
import sys
from pkgutil import resolve_name

from goclaw.cli.orders import receive
from goclaw.core.errors import GatewayError
from goclaw.core.logs import configure_logs
from goclaw.core.settings import InvalidSettings


def main() -> None:
    prepare = resolve_name(sys.argv[1])
    host = receive()
    configure_logs(host.settings.log_format, host.settings.log_level)
    try:
        asyncio.run(prepare(host))
    except (GatewayError, InvalidSettings) as error:
        sys.exit(f"goclaw: {error}")


if __name__ == "__main__":
    main()
