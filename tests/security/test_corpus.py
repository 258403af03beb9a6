"""How much the scrubber finds of what it should, and how much of what it should not."""

from collections import Counter

from goclaw.security.scrub import Scrubber
from goclaw.security.secrets_held import REPLACEMENT
from tests.security.corpus.samples import Sample, lookalikes, positives

PIECE = 8
scrubber = Scrubber()


def is_gone(sample: Sample) -> bool:
    """No eight characters in a row are left of the secret."""
    scrubbed = scrubber.scrub(sample.text)
    pieces = [sample.secret[at : at + PIECE] for at in range(max(1, len(sample.secret) - PIECE))]
    return REPLACEMENT in scrubbed and not any(piece in scrubbed for piece in pieces)


def test_the_corpus_is_large_and_varied() -> None:
    found, alike = list(positives()), list(lookalikes())
    assert len(found) >= 400
    assert len({sample.kind for sample in found}) >= 30
    assert len({sample.text for sample in alike}) >= 400
    assert len(Counter(sample.kind for sample in alike)) >= 8


def test_weakness_47_every_kind_of_secret_is_found() -> None:
    missed = [sample for sample in positives() if not is_gone(sample)]
    assert missed == []


def test_ordinary_texts_stay_as_they_are() -> None:
    harmed = [
        (sample.kind, scrubber.scrub(sample.text))
        for sample in lookalikes()
        if scrubber.scrub(sample.text) != sample.text
    ]
    assert harmed == []


def test_what_stands_around_a_secret_stays() -> None:
    for sample in positives():
        before = sample.text.partition(sample.secret)[0]
        assert scrubber.scrub(sample.text).startswith(before[:-40])
