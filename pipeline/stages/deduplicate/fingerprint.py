"""What an article is known by on the claim log: exact fingerprint, revision key, lookup keys, signature, figures.

The headline has no part in it: the same body under a changed headline is an exact duplicate. But for briefs, where the
headline may hold the only name: two companies that pay the same dividend on the same day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import xxhash

from pipeline.records import Article
from pipeline.stages.deduplicate.hashes import Prefix
from pipeline.stages.deduplicate.parameters import BINS, BRIEF_WORDS, KEYS, SPOTS, TERMS
from pipeline.stages.deduplicate.sketch import sketches
from pipeline.stages.deduplicate.terms import terms
from pipeline.stages.deduplicate.texts import texts_of

NO_KEYS = bytes(4 * KEYS)
NO_SIGNATURE = bytes(BINS // 2)
NO_FIGURES = bytes(4 * SPOTS)
NO_NUMBERS = bytes(16)
NO_TERMS = bytes(4 * TERMS)
_GROUP_SIGNS = 1 << 15
_CORRECTS = re.compile(r"\W*correct(ion|ions|ed|s)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One article's claim. Zero stands for "has none" in `exact` and `revision`."""

    id: str
    """The article's id, 32 hex digits."""
    exact: int
    """64-bit hash of the body's normal form."""
    revision: int
    """64-bit hash of the canonical URL, else of the source if the article is alone in it."""
    keys: bytes
    """The lowest shingle hashes, 32 bits of each. All zero: too short to be looked up."""
    signature: bytes
    """One-permutation MinHash, four bits a bin."""
    figures: bytes
    """A 16-bit sum over the words around figures for each spot, then one over the figures with them."""
    shingles: int
    """Different shingles in the body, at most 2**32 - 1."""
    words: int
    """Words in the body, or as many signs as weigh the same where words are not parted by spaces."""
    numbers: bytes = NO_NUMBERS
    """A set of 128 bits, one for each figure, wherever it stands."""
    correction: bool = False
    """Whether it says of itself, in front, that it corrects another one."""
    terms: bytes = NO_TERMS
    """What it is about: the most telling words of headline and body, 24 bits of hash and eight of weight each."""


def fingerprint(article: Article) -> Fingerprint:
    """The claim of `article`: depends on its id, headline, body, URL and source alone, and on nothing else."""
    return fingerprints([article])[0]


def fingerprints(articles: Sequence[Article]) -> list[Fingerprint]:
    """The claim of each article, the same in any company: a third of the cost of one by one."""
    found: list[Fingerprint] = []
    for group in _groups(articles):
        found += _group(group)
    return found


def _groups(articles: Sequence[Article]) -> Iterator[list[Article]]:
    """Articles in runs that fit the powers prepared, and the cache."""
    group: list[Article] = []
    signs = 0
    for article in articles:
        size = len(article.body) + len(article.headline)
        if group and signs + size > _GROUP_SIGNS:
            yield group
            group, signs = [], 0
        group.append(article)
        signs += size
    if group:
        yield group


def _group(articles: list[Article]) -> list[Fingerprint]:
    headlines = [article.headline for article in articles]
    texts = texts_of([*(article.body for article in articles), *headlines])
    # Of a brief the headline counts, where it has one of its own.
    brief = (texts.words[: len(articles)] < BRIEF_WORDS).tolist()
    bodies = [
        f"{article.headline} {article.body}" if short and not article.headline_derived else article.body
        for article, short in zip(articles, brief, strict=True)
    ]
    if any(brief):
        texts = texts_of([*bodies, *headlines])
    hashes = Prefix(texts.codes)
    about = terms(texts, hashes)
    every = sketches(texts.before(len(articles)), hashes)
    return [
        Fingerprint(
            id=article.id,
            exact=sketch.exact,
            revision=_revision_key(article),
            keys=sketch.keys,
            signature=sketch.signature,
            figures=sketch.figures,
            numbers=sketch.numbers,
            correction=_CORRECTS.match(article.headline) is not None or _CORRECTS.match(article.body) is not None,
            shingles=sketch.shingles,
            words=sketch.words,
            terms=telling.tobytes(),
        )
        for article, sketch, telling in zip(articles, every, about, strict=True)
    ]


def _revision_key(article: Article) -> int:
    """What stays the same when an article is published again with another text, hashed; 0 if nothing does."""
    if article.url:
        address = article.url.partition("#")[0].partition("://")[2].rstrip("/")
        # A bare host is the front page, which careless sites declare as the address of every article.
        if "/" in address or "?" in address:
            return xxhash.xxh3_64_intdigest(f"url\0{address}".encode())
    return xxhash.xxh3_64_intdigest(f"source\0{article.raw.source}".encode()) if article.raw.single else 0
