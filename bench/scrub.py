"""Time of the scrubber against size, for usual and for hostile texts: `python -m bench.scrub`."""

from time import process_time
from typing import Final

from goclaw.security.scrub import Scrubber
from goclaw.security.secrets_held import Secrets

SIZES: Final = (500, 1 << 14, 1 << 17, 1 << 20)
HELD: Final = 100
SHORTEST_S: Final = 0.05

TEXTS: Final = {
    "prose": "The quick brown fox jumps over one lazy dog and goes home to read what it wrote. ",
    "hints": "The token of the author is a secret password for the key of a cookie. ",
    "json": '{"id": "0198c2b4", "model": "small", "usage": {"tokens": 12}, "ok": true}, ',
    "letters": "a",
    "prefixes": "sk-",
    "names": 'password="',
    "nested": '\\"password\\":\\"',
    "urls": "://a:b@",
    "pem": "-----BEGIN PRIVATE KEY-----",
    "jwt": "-eyJa.",
}


def seconds(scrubber: Scrubber, text: str) -> float:
    """The best of three, each long enough for the clock."""
    best = float("inf")
    for _ in range(3):
        rounds, began = 0, process_time()
        while process_time() - began < SHORTEST_S:
            scrubber.scrub(text)
            rounds += 1
        best = min(best, (process_time() - began) / rounds)
    return best


def main() -> None:
    scrubber = Scrubber(Secrets(f"held-secret-number-{number:04}" for number in range(HELD)))
    print("microseconds a KiB, by size in characters")
    print(f"{'':10}" + "".join(f"{size:>12}" for size in SIZES))
    for name, piece in TEXTS.items():
        texts = [(piece * (size // len(piece) + 1))[:size] for size in SIZES]
        per_kib = [seconds(scrubber, text) * 1e6 / len(text) * 1024 for text in texts]
        print(f"{name:10}" + "".join(f"{cost:12.1f}" for cost in per_kib))


if __name__ == "__main__":
    main()
