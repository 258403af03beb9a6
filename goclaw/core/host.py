"""What the parent process tells its workers."""

from dataclasses import dataclass, field
from datetime import datetime

from goclaw.core.settings import Settings

LOCAL_MODEL_NAME = "smollm2-135m-instruct"


@dataclass(frozen=True, slots=True)
class LocalModel:
    """Where the embedded model answers; `base_url` ends in /v1."""

    base_url: str
    api_key: str = field(repr=False)
    name: str = LOCAL_MODEL_NAME


@dataclass(frozen=True, slots=True)
class Host:
    """Picklable: it travels to every worker through a pipe.

    `port` is the one in use, also where the settings leave the choice to the system.
    `local_model` is None where the model is switched off or cannot run;
    `local_model_missing` then says why, for the error `local_model_missing`.
    """

    settings: Settings
    dsn: str = field(repr=False)
    started_at: datetime
    port: int = 18790
    workers: int = 1
    embedded_database: bool = False
    local_model: LocalModel | None = None
    local_model_missing: str = ""

    @property
    def connections_per_worker(self) -> int:
        """What all pools of one worker may hold together."""
        return self.settings.db_connections // self.workers
