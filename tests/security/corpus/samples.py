"""The corpus: each positive says where its secret is, each look-alike must stay as it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tests.security.corpus.kinds import CONTEXTS, FRAMED, KEYS
from tests.security.corpus.lookalikes import LOOKALIKES

SEED = 20_240_229
KEYS_EACH = 8
FRAMED_EACH = 24


@dataclass(frozen=True)
class Sample:
    kind: str
    text: str
    secret: str


def positives() -> Iterator[Sample]:
    rnd = Random(SEED)
    for kind, make in KEYS.items():
        for context in rnd.sample(CONTEXTS, KEYS_EACH):
            secret = make(rnd)
            yield Sample(kind, context.format(secret), secret)
    for kind, (make, contexts) in FRAMED.items():
        for number in range(FRAMED_EACH):
            secret = make(rnd)
            yield Sample(kind, contexts[number % len(contexts)].format(secret), secret)


def lookalikes() -> Iterator[Sample]:
    rnd = Random(SEED)
    for kind, make in LOOKALIKES.items():
        for text in make(rnd):
            yield Sample(kind, text, "")
