from __future__ import annotations

import struct

import xxhash

from pipeline.records import Article, RawArticle
from pipeline.stages.deduplicate import fingerprints
from pipeline.stages.deduplicate.common import MOST, listed, telling
from pipeline.stages.deduplicate.hashes import Prefix
from pipeline.stages.deduplicate.parameters import COMMON_WORDS
from pipeline.stages.deduplicate.texts import texts_of

RAW = RawArticle("0" * 32, "a.txt", 0, "text/plain", "", "", b"")


def about(body: str, headline: str = "") -> dict[int, int]:
    """Weight by hash of word."""
    found = fingerprints([Article(RAW, "text", headline, False, body, 0)])[0].terms
    return {term >> 8: term & 255 for term in struct.unpack("<16I", found) if term}


def words(*written: str) -> list[int]:
    texts = texts_of(written)
    return [int(found) >> 40 for found in Prefix(texts.codes).between(texts.starts, texts.ends)]


def tells(word: str) -> int:
    texts = texts_of([word])
    return int(telling(Prefix(texts.codes).between(texts.starts, texts.ends))[0])


def test_the_list_of_common_words_is_the_one_that_the_parameters_name() -> None:
    assert xxhash.xxh32_intdigest(listed()) == COMMON_WORDS


def test_the_rarer_a_word_the_more_it_tells() -> None:
    said = [tells(word) for word in ("the", "government", "earthquake", "kisangani")]
    assert said == sorted(said)
    assert (said[0], said[-1]) == (0, MOST)
    assert [tells(word) for word in ("und", "sont", "był")] == [0, 0, 0]


def test_terms_are_the_telling_words_with_the_weightiest_first() -> None:
    found = about("The quake shook Kisangani. In Kisangani it was dark, and the quake was felt in Buta.")
    kisangani, quake, buta = words("kisangani", "quake", "buta")
    assert next(iter(found)) == kisangani  # a name, twice
    assert found[kisangani] > found[quake] > 0
    assert buta in found
    assert abs(sum(weight**2 for weight in found.values()) ** 0.5 - 255) < 3


def test_a_word_of_the_headline_counts_more_and_figures_do_not() -> None:
    plain = about("A ferry sank off Penang on 12 May 2025 with 117 on board.")
    titled = about("A ferry sank off Penang on 12 May 2025 with 117 on board.", "Ferry disaster")
    (ferry,) = words("ferry")
    assert titled[ferry] > plain[ferry]
    assert not {*words("117", "2025", "12")} & plain.keys()


def test_where_no_spaces_part_words_two_signs_are_one() -> None:
    found = about("北岸市地铁线路开通。北岸市市长出席。")
    assert set(words("北岸", "岸市")) <= found.keys()


def test_a_text_of_small_words_alone_is_about_nothing() -> None:
    assert about("and the of it was") == {}
