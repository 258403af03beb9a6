"""The tables of the job engine, which come with its package."""

from importlib.metadata import distribution
from pathlib import Path
from typing import Final

PACKAGE: Final = "procrastinate"
SCRIPT: Final = "procrastinate/sql/schema.sql"
PREFIX: Final = "procrastinate_"
"""What the names of its tables begin with."""


def job_schema() -> str:
    """The statements that make them, and note which version of the package they are of: a later
    one brings statements of its own that lead on from there. The package is not imported, as it
    brings a database driver along.
    """
    package = distribution(PACKAGE)
    script = Path(str(package.locate_file(SCRIPT))).read_text()
    return f"{script}\ncomment on table procrastinate_jobs is '{package.version}';"


def is_ours(name: str | None) -> bool:
    """Whether a table is made by our own models."""
    return name is None or not name.startswith(PREFIX)
