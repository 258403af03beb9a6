"""Thinking that a model writes into its text: between tags, before all else it says."""

from typing import Final

_OPENING: Final = ("<think>", "<thinking>", "<thought>", "<antThinking>")


class ThinkTags:
    """Tells text from thinking while both come in pieces cut anywhere. `done` once nothing but
    text can follow.
    """

    __slots__ = ("_closing", "_held", "_passed", "done")

    def __init__(self) -> None:
        self.done = False
        self._closing = ""
        self._held = ""
        self._passed = False

    def feed(self, piece: str) -> tuple[str, str]:
        """Text and thinking that are certain now."""
        self._held += piece
        if not self._closing and not self._opens():
            return self._rest() if self.done else "", ""
        thinking = "" if self._passed else self._inside()
        text = self._rest().lstrip() if self._passed else ""
        self.done = bool(text)
        return text, thinking

    def end(self) -> tuple[str, str]:
        """What was held back, when nothing follows."""
        rest = self._rest()
        return ("", rest) if self._closing and not self._passed else (rest, "")

    def _opens(self) -> bool:
        """Whether the text began with a tag; it is held back while it still may."""
        begun = self._held.lstrip()
        tag = next((tag for tag in _OPENING if begun.startswith(tag)), None)
        if tag is None:
            self.done = not any(tag.startswith(begun) for tag in _OPENING)
            return False
        self._closing = f"</{tag[1:]}"
        self._held = begun[len(tag) :]
        return True

    def _inside(self) -> str:
        """Up to the closing tag, or to what may be the beginning of one."""
        thinking, tag, rest = self._held.partition(self._closing)
        if tag:
            self._passed, self._held = True, rest
            return thinking
        lengths = range(min(len(self._closing) - 1, len(thinking)), 0, -1)
        kept = next((n for n in lengths if self._closing.startswith(thinking[-n:])), 0)
        self._held = thinking[len(thinking) - kept :]
        return thinking[: len(thinking) - kept]

    def _rest(self) -> str:
        rest, self._held = self._held, ""
        return rest


def without_tags(text: str) -> tuple[str, str]:
    """Text and thinking of a whole answer."""
    if "<" not in text[:1] and not text[:1].isspace():
        return text, ""
    tags = ThinkTags()
    said, thinking = tags.feed(text)
    more, rest = tags.end()
    return said + more, thinking + rest
