"""Whether the embedded model is here: for some machines its packages have no wheels (Makefile)."""

import pytest

from goclaw.core.errors import Unavailable
from goclaw.embedded.local_model import model_file


def installed() -> bool:
    try:
        model_file()
    except Unavailable:
        return False
    return True


needs_model = pytest.mark.skipif(not installed(), reason="the embedded model is not installed")
