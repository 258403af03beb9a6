"""`python -m tests.cli.run_stand_in serve ...`: the command line with the stand-in application.

STAND_IN and STAND_IN_PREPARE name other import strings.
"""

import os

from goclaw.cli import serve
from goclaw.cli.main import app

if __name__ == "__main__":
    vars(serve)["APP"] = os.environ.get("STAND_IN", "tests.cli.stand_in:create_app")
    vars(serve)["PREPARE"] = os.environ.get("STAND_IN_PREPARE", "tests.cli.stand_in:prepare")
    app()
