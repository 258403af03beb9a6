"""How old results of tools are shortened for the model (`context_pruning` of an agent)."""

from pydantic import BaseModel, ConfigDict, Field


class Pruning(BaseModel):
    """Ratios are of the context window, whose tokens are taken for four characters each. The last
    `keep_last_assistants` answers and what follows them stay as they are.

    Beyond `soft_trim_ratio` results longer than `max_chars` keep their first `head_chars` and last
    `tail_chars`; beyond `hard_clear_ratio`, if at least `min_prunable_chars` can be saved, whole
    results go, oldest first.
    """

    model_config = ConfigDict(extra="ignore")

    enabled: bool = True
    keep_last_assistants: int = Field(default=3, ge=0, le=100)
    soft_trim_ratio: float = Field(default=0.3, ge=0, le=1)
    hard_clear_ratio: float = Field(default=0.5, ge=0, le=1)
    min_prunable_chars: int = Field(default=50_000, ge=0)
    max_chars: int = Field(default=4000, ge=0)
    head_chars: int = Field(default=1500, ge=0)
    tail_chars: int = Field(default=1500, ge=0)
