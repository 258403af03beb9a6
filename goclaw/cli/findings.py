"""What `goclaw doctor` found out about one thing."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """`info`: neither good nor bad. Only `failed` makes the command fail."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """`fix` is what to do about it; empty where nothing has to be done."""

    status: Status
    subject: str
    text: str
    fix: str = ""


def ok(subject: str, text: str) -> Finding:
    return Finding(Status.OK, subject, text)


def info(subject: str, text: str, fix: str = "") -> Finding:
    return Finding(Status.INFO, subject, text, fix)


def warning(subject: str, text: str, fix: str) -> Finding:
    return Finding(Status.WARNING, subject, text, fix)


def failed(subject: str, text: str, fix: str) -> Finding:
    return Finding(Status.FAILED, subject, text, fix)
