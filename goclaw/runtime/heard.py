"""What a follower of a run has heard, and what is news to it."""


class Heard:
    """Sources may repeat what they said; a run that was taken up by another worker may say
    something else instead.
    """

    def __init__(self) -> None:
        self.text = ""

    def take(self, offset: int, text: str) -> tuple[int, str] | None:
        """(offset, text) to pass on, None when it was heard before. Offset 0 with a text that
        was not heard begins the answer anew. `offset` is where the source has got to, in
        characters.
        """
        known = len(self.text) - offset
        if known < 0:
            return None
        if self.text[offset : offset + len(text)] == text[:known]:
            news = text[known:]
            if not news:
                return None
            at, self.text = len(self.text), self.text + news
            return at, news
        self.text = self.text[:offset] + text
        return 0, self.text


class HeardThinking:
    """The same of what is thought, where each model call begins anew."""

    def __init__(self) -> None:
        self._call = 0
        self._heard = Heard()

    def take(self, call: int, offset: int, text: str) -> tuple[int, str] | None:
        if call != self._call:
            self._call, self._heard = call, Heard()
        return self._heard.take(offset, text)
