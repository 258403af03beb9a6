"""What `goclaw doctor` and the security page found out about one thing."""

from dataclasses import dataclass
from enum import StrEnum


class FindingStatus(StrEnum):
    """`info`: neither good nor bad. Only `failed` makes the command fail."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """`fix` is what to do about it; empty where nothing has to be done."""

    status: FindingStatus
    subject: str
    text: str
    fix: str = ""


def ok(subject: str, text: str) -> Finding:
    return Finding(FindingStatus.OK, subject, text)


def info(subject: str, text: str, fix: str = "") -> Finding:
    return Finding(FindingStatus.INFO, subject, text, fix)


def warning(subject: str, text: str, fix: str) -> Finding:
    return Finding(FindingStatus.WARNING, subject, text, fix)


def failed(subject: str, text: str, fix: str) -> Finding:
    return Finding(FindingStatus.FAILED, subject, text, fix)
