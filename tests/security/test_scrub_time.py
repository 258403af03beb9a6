"""The scrubber takes a time that grows with the length of a text alone, whatever it holds."""

import re
from re import _constants, _parser
from typing import Any

import pytest

from goclaw.security import scrub, secret_formats, secret_headers, secret_names, secret_values
from goclaw.security.scrub import Scrubber

formats = Scrubber()
MODULES = (secret_formats, secret_headers, secret_names, secret_values)
ON_SLICES = frozenset({"_ESCAPE", "_DIGIT", "_CAPITAL", "_LAST_WORD", "_CODE", "_PLACEHOLDER"})
"""These see a bounded part of a text, or a value that was found."""


def patterns() -> dict[str, re.Pattern[str]]:
    found = {
        name: value
        for module in MODULES
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern) and name not in ON_SLICES
    }
    for rule in secret_formats.FORMATS:
        if not isinstance(rule, secret_formats.PrivateKeys):
            found[f"{rule.kind} {rule.hints[0]}"] = rule.pattern
    return found


def backtracking(tree: Any, *, last: bool = True) -> list[str]:
    """Repeats that could be tried again at other lengths, without a bound."""
    problems = []
    for index, (kind, argument) in enumerate(tree):
        at_end = last and index == len(tree) - 1
        if kind in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            _, most, inner = argument
            if most == _constants.MAXREPEAT and not at_end:
                problems.append(f"{kind} before the end")
            if most == _constants.MAXREPEAT and any(part[0] in REPEATS for part in inner):
                problems.append("a repeat within a repeat")
            problems += backtracking(inner, last=at_end)
        elif kind is _constants.SUBPATTERN:
            problems += backtracking(argument[-1], last=at_end)
        elif kind is _constants.BRANCH:
            for branch in argument[1]:
                problems += backtracking(branch, last=at_end)
    return problems


REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)


@pytest.mark.parametrize("name", sorted(patterns()))
def test_patterns_never_go_back_over_what_has_no_bound(name: str) -> None:
    pattern = patterns()[name]
    assert backtracking(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)) == []


def test_the_check_above_sees_what_it_is_for() -> None:
    assert backtracking(_parser.parse("(a+)+b")) != []
    assert backtracking(_parser.parse("x[a-z]*y")) != []
    assert backtracking(_parser.parse("x[a-z]{1,9}y[0-9]*+")) == []


HOSTILE = {
    "letters": "a",
    "prefixes": "sk-",
    "projects": "sk-proj-",
    "tokens of the web": "eyJ",
    "dotted": "-eyJa.",
    "names": "password=",
    "tokens": "token=",
    "quotes": 'password="',
    "slashes": '\\"password\\":\\"',
    "more slashes": "\\",
    "nested": '{"token": {"password": [',
    "urls": "://",
    "users": "postgres://a:",
    "at": "://a:b@",
    "bearer": "bearer ",
    "basic": "basic QUFB",
    "headers": "authorization: ",
    "cookies": "cookie: a=",
    "keys": "-----BEGIN PRIVATE KEY-----",
    "half keys": "-----BEGIN ",
    "environment": "A_KEY=",
    "options": "--token ",
    "discord": "MTA_",
    "escapes": "\\n%41",
    "azure": "JQQJ99",
    "slack": "xoxb-",
    "blanks": "password" + " " * 20,
}


class Counted(str):
    """A text that counts how many of its characters are taken out of it."""

    __slots__ = ("taken",)
    taken: int

    def __getitem__(self, where: Any) -> str:
        part = super().__getitem__(where)
        self.taken = getattr(self, "taken", 0) + len(part)
        return part


@pytest.mark.parametrize("hostile", HOSTILE)
def test_work_grows_with_the_length_alone(hostile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are looks at a hint and characters taken out of the text for them."""

    def steps(size: int) -> int:
        text = Counted(HOSTILE[hostile] * (size // len(HOSTILE[hostile])))
        looks = 0

        def looked_at(*arguments: Any) -> Any:
            nonlocal looks
            _, hits, _ = arguments
            hits = list(hits)
            looks += len(hits)
            return genuine(arguments[0], hits, arguments[2])

        genuine = scrub._looked_at
        with monkeypatch.context() as patch:
            patch.setattr(scrub, "_looked_at", looked_at)
            formats.find(text)
        return looks + getattr(text, "taken", 0)

    small, large = steps(4_000), steps(16_000)
    assert large <= 4.5 * small + 20_000


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_megabyte_of_the_worst_is_scrubbed(hostile: str) -> None:
    text = HOSTILE[hostile] * (2**20 // len(HOSTILE[hostile]))
    scrubbed = formats.scrub(text)
    assert len(scrubbed) <= 12 * len(text)
