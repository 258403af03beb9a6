"""Which context files hold for a user, and how they stand in a prompt."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from goclaw.core.context_files import (
    AGENTS,
    BOOTSTRAP,
    IDENTITY,
    MAX_FILE_CHARS,
    MAX_PROMPT_CHARS,
    NAMES,
    OWN,
    SOUL,
    TOOLS,
    USER,
    USER_PREDEFINED,
)
from goclaw.models.agents import AgentType
from goclaw.runtime.starting_files import OPEN, PREDEFINED
from goclaw.store.context_files import Held

ORDER: Final = (BOOTSTRAP, SOUL, IDENTITY, AGENTS, USER_PREDEFINED, TOOLS, USER)
"""In which they stand in a prompt; those that come first get the room there is."""
HEAD: Final = 0.7
TAIL: Final = 0.2
"""The parts of its room that beginning and end of a file get that is too long for it."""
LEAST_CHARS: Final = 200
"""A part smaller than that says nothing."""

TAGS: Final = ("project_context", "agent_configuration", "about_user", "file")
_LOOK_ALIKES: Final = re.compile(rf"<(?=\s*/?\s*(?:{'|'.join(TAGS)})\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PromptFiles:
    """What holds, by name. `meets` is whether somebody is there to be met."""

    texts: Mapping[str, str]
    meets: bool


def first_user_files(agent_type: AgentType, of_agent: Mapping[str, str]) -> dict[str, str]:
    """What a user begins with. Of an open agent's own files, those that are each user's own are
    the beginning; the others hold until the user has one.
    """
    begin = PREDEFINED if agent_type == AgentType.PREDEFINED else OPEN
    return {
        name: of_agent.get(name, text)
        for name, text in begin.items()
        if name in OWN or name not in of_agent
    }


def files_in_effect(agent_type: AgentType, held: Held) -> dict[str, str]:
    """A user's own go first with an open agent; a predefined one has its own for everybody."""
    of_user = held.of_user if held.met else first_user_files(agent_type, held.of_agent)
    shared = {name: text for name, text in held.of_agent.items() if name not in OWN}
    if agent_type == AgentType.PREDEFINED:
        of_user = {name: text for name, text in of_user.items() if name in OWN}
    texts = {**shared, **of_user}
    return {name: texts[name] for name in NAMES if name in texts}


def fitted(texts: Mapping[str, str]) -> dict[str, str]:
    """Cut to what one prompt has room for, and safe to stand between tags."""
    left, shown = MAX_PROMPT_CHARS, {}
    for name in ORDER:
        if name in texts:
            room = min(left, MAX_FILE_CHARS)
            text = texts[name].strip()
            left -= min(len(text), room)
            shown[name] = _LOOK_ALIKES.sub("&lt;", _within(name, text, room))
    return shown


def _within(name: str, text: str, room: int) -> str:
    if len(text) <= room:
        return text
    if room < LEAST_CHARS:
        return f"[{name} was left out: all files together have more than {MAX_PROMPT_CHARS}]"
    head, tail = int(room * HEAD), int(room * TAIL)
    note = f"[{name} was cut here: of {len(text)} characters you see {head} and the last {tail}]"
    return f"{text[:head]}\n{note}\n{text[len(text) - tail :]}"


def tagged(tag: str, texts: Mapping[str, str], names: Iterable[str]) -> str:
    """Empty where none of them is there."""
    files = "\n".join(
        f'<file name="{name}">\n{texts[name]}\n</file>' for name in names if texts.get(name)
    )
    return f"<{tag}>\n{files}\n</{tag}>" if files else ""
