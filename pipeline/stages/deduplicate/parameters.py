"""Every number that decides what counts as a duplicate, in one place, with its reason.

They were chosen by the back-test, `python -m tests.bench.backtest FOLDER`. A change to anything in `PARAMETERS` changes
what claims mean: `PARAMETERS_ID` changes with it, and claims written before are refused rather than compared with
something they cannot be compared with. Thresholds are in it too: workers that judge by other ones would disagree.
"""

from __future__ import annotations

import xxhash

WORDS_IN_SHINGLE = 3
"""Three words: unrelated articles share 7 % of them at most, and 10 % of words changed still leaves 57 %."""

SIGNS_IN_SHINGLE = 4
SIGNS_IN_LONG_SHINGLE = 7
"""Where words are not parted by spaces each sign is a token. Four signs of Chinese or Japanese, seven of Thai, Lao,
Burmese or Khmer: of 10 % of words changed they see as little as three words do, and unrelated articles share 10 % of
them at most."""

SIGNS_IN_WORD = 2
SIGNS_IN_LONG_WORD = 4
"""Hence so many signs count as a word where length matters."""

KEYS = 16
"""An article is looked up under its 16 lowest shingle hashes. Of a text that holds a fourth of another one, four of
them are among the other's on average; of near duplicates, seven or more. Bands of a MinHash signature need twice as
many keys and find neither: at similarity 0.25, 32 bands of 4 rows meet with probability 0.12."""

BINS = 256
"""A signature keeps, of the shingles that fall into each of 256 bins, the lowest, cut to four bits (one-permutation
MinHash). The estimate's standard error is 0.033 for long texts; short ones have a bin for nearly each shingle."""

COLLISION = 1 / 15
"""Fifteen values (0 is an empty bin), so this share of unequal ones agrees by chance."""

SPOTS = 16
"""Figures are kept by the words around them, in so many places."""

MIN_WORDS = 16
"""Shorter texts have no signature: at that length one changed word is another piece of news."""

BRIEF_WORDS = 32
"""Of shorter texts the headline, too, has to be the same: it may hold the only name."""

SIMILAR = 0.46
"""Least estimated Jaccard similarity of a near duplicate: 10 % of words changed leaves 0.57 ± 0.04."""

SIMILAR_TO_ORIGINAL = 0.3
"""What a near duplicate of a duplicate has in common with the original at least, so that chains do not drift."""

SIMILAR_WHEN_SHORT = 0.85
LONG_WORDS = 100
"""Below this length the threshold rises, in a straight line, to `SIMILAR_WHEN_SHORT` at `MIN_WORDS`."""

CONTAINED = 0.6
CONTAINED_SIMILAR = 0.12
CONTAINED_WORDS = 40
"""A text is derived from another where this share of the shorter one is in the longer one. Below the similarity given
the estimate is too coarse to say so (a text eight times as long), and shorter texts are too short."""

NUMBERS = 3
NUMBERS_KEPT = 0.7
NUMBERS_KEPT_DERIVED = 0.5
"""Where the text with fewer figures has this many, so large a share of them must be in the other one too. Of 287 near
duplicates on a real wire (Reuters, 1987) 217 keep nine tenths and more; reports of one series, such as weekly oil
stocks, keep few although half their words are the same."""

TERMS = 16
"""An article is known to its story by its 16 most telling words. On labelled news (`python -m tests.bench.stories`) 24
are no better, and 12 worse."""

HEADLINE = 2
"""So often more does a word of the headline count."""

NAME = 3 / 2
"""So much more does a word count that is written with a capital inside a sentence."""

COMMON_WORDS = 0xC5516600
"""Names the list of common words: xxHash of `data/common.tsv`."""

HOLDERS = 8
"""For each of its terms, so many of the last articles that have it too are looked at. On labelled news among 16,000
others twice as many add 0.001 to F1, at 1.15 times the cost of the index."""

RELATED = 8
"""So many of them, those with most in common, are held against the article in full."""

FAINT = 0.12
"""Articles with less in common are not looked at any further (cosine of the weighted terms). On labelled news among
16,000 others stories are the same from 0.05 to here; from 0.16 on some are missed."""

SAME_STORY = 0.34
"""Mean cosine to the two articles of a story that are nearest, to belong to it."""

SERIES = 2
"""Two reports are of one series (results of companies, the weather of two days), and make no story together, where so
many more spots have the same words around other figures than around the same ones. One alone may be a toll that
rises."""

PARAMETERS = (
    WORDS_IN_SHINGLE,
    SIGNS_IN_SHINGLE,
    SIGNS_IN_LONG_SHINGLE,
    SIGNS_IN_WORD,
    SIGNS_IN_LONG_WORD,
    KEYS,
    BINS,
    SPOTS,
    MIN_WORDS,
    SIMILAR,
    SIMILAR_TO_ORIGINAL,
    SIMILAR_WHEN_SHORT,
    LONG_WORDS,
    CONTAINED,
    CONTAINED_SIMILAR,
    CONTAINED_WORDS,
    BRIEF_WORDS,
    NUMBERS,
    NUMBERS_KEPT,
    NUMBERS_KEPT_DERIVED,
    TERMS,
    HEADLINE,
    NAME,
    COMMON_WORDS,
    HOLDERS,
    RELATED,
    FAINT,
    SAME_STORY,
    SERIES,
    "numbers spelled out from two to twelve; corrections",
    "NFKC, lower case, letters, marks, digits, currency, percent; polynomial shingle hash 1",
)

PARAMETERS_ID = xxhash.xxh32_intdigest(repr(PARAMETERS).encode())
"""32 bits that name what claims mean and how they are judged."""
