"""Which columns hold ciphertext."""

from enum import Enum


class SealedColumn(Enum):
    """All of them: nothing can be sealed for a column that is not listed here.

    A sealed text is bound to table, column and the UUID in `row`; `label` is the column that
    tells people which row it is.
    """

    PROVIDER_KEY = ("providers", "api_key", "id", "name")
    ANSWER_SECRET = ("idempotent_requests", "secret", "result_id", "operation")
    TOOL_SECRETS = ("builtin_tools", "secrets", "id", "name")
    CRON_SECRET = ("cron_jobs", "delivery_secret", "id", "name")

    def __init__(self, table: str, column: str, row: str, label: str) -> None:
        self.table = table
        self.column = column
        self.row = row
        self.label = label

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"
