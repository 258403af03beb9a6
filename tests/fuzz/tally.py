"""How often each role asked at each door, and how it was answered."""

from collections import Counter, defaultdict

Answers = Counter[str]


class Tally:
    def __init__(self) -> None:
        self.answers: defaultdict[tuple[str, str], Answers] = defaultdict(Counter)
        self.findings: list[str] = []

    def count(self, door: str, role: str, answer: object, times: int = 1) -> None:
        self.answers[door, role][str(answer)] += times

    def calls(self, door: str, role: str) -> int:
        return self.answers[door, role].total()

    def lines(self) -> list[str]:
        """One for each door and role: calls, then each answer with its count."""
        lines = []
        for (door, role), answers in sorted(self.answers.items()):
            shown = ", ".join(f"{answer} x {count}" for answer, count in answers.most_common())
            lines.append(f"{door:<10} {role:<15} {answers.total():>7} calls: {shown}")
        return lines
