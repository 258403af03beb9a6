"""When the beginning of a conversation becomes a summary (`compaction_config` of an agent)."""

from pydantic import BaseModel, ConfigDict, Field


class Compaction(BaseModel):
    """As soon as a conversation fills more than `max_history_share` of the model's context window.
    The last `keep_last_messages` stay as they are, and more where a tool call would be parted from
    its result.
    """

    model_config = ConfigDict(extra="ignore")

    enabled: bool = True
    max_history_share: float = Field(default=0.75, gt=0, le=1)
    keep_last_messages: int = Field(default=4, ge=1, le=1000)
