"""Makes the database ready for workers: `python -m goclaw.cli.migrator <async callable>`.

A process of its own, so that the parent stays small and waits for no import.
"""

import asyncio
import sys
from pkgutil import resolve_name

from goclaw.cli.orders import receive
from goclaw.core.errors import GatewayError
from goclaw.core.logs import configure_logs, log_uncaught
from goclaw.core.settings import InvalidSettings
from goclaw.security.scrub import Scrubber
from goclaw.security.secrets_held import Secrets, secrets_of_host


def main() -> None:
    prepare = resolve_name(sys.argv[1])
    host = receive()
    scrubber = Scrubber(Secrets(secrets_of_host(host)))
    configure_logs(host.settings.log_format, host.settings.log_level, scrubber.log_line)
    log_uncaught()
    try:
        asyncio.run(prepare(host))
    except (GatewayError, InvalidSettings) as error:
        sys.exit(f"goclaw: {error}")


if __name__ == "__main__":
    main()
