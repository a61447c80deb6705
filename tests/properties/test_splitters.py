"""What exactly-once rests on, for every splitter: the same entries however the bytes arrive, and from any position on
exactly the rest; and for every format, that only errors of our own tree come out. `make fuzz` asks the same of atheris.
"""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.formats import FORMATS, PACKINGS
from pipeline.stages.normalise import PARSERS
from tests.fuzz.targets import TARGETS

NAMES = sorted(TARGETS)
# What the formats are made of, so that chance need not find it.
BITS = [
    *b"<item>|</item>|<entry>|</entry>|<newsItem>|</newsItem>|<NewsItem>|</NewsItem>|<rss>|</rss>|<a:b>".split(b"|"),
    *b'<![CDATA[|]]>|<!--|-->|<?|?>|<!DOCTYPE a [|]>|/>|>|<|&a;|xmlns:a=\'b\'|"|""|,|;|\t|\n|\r\n|{|}|[|]'.split(b"|"),
    *b'{"a": 1}|"items": [|\\u0000|WARC/1.0\r\n|Content-Length: 9\r\n\r\n|\r\n\r\n|HTTP/1.1 200 OK\r\n'.split(b"|"),
    *b"PK\3\4|PK\1\2|PK\5\6|\x1f\x8b\x08|BZh9|\0|\xff\xfe|\xef\xbb\xbf|\xc3|ustar| |\n\nFrom a 09:00 2025\n".split(
        b"|"
    ),
]


@cache
def samples(name: str) -> tuple[bytes, ...]:
    return tuple(sample for sample in TARGETS[name].samples() if len(sample) < 12_000) or (b"",)


def changed(sample: bytes, changes: list[tuple[float, float, bytes]]) -> bytes:
    """`sample`, each change cutting something out of it (in shares of its length) and putting something in."""
    for place, share, bit in changes:
        start = int(place * len(sample))
        sample = sample[:start] + bit + sample[start + int(share * share * len(sample)) :]
    return sample


SHARES = st.floats(0, 1)
CHANGES = st.lists(st.tuples(SHARES, SHARES, st.sampled_from(BITS) | st.binary(max_size=8)), min_size=1, max_size=5)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), CHANGES)
def test_samples_that_were_tampered_with(
    name: str, data: st.DataObject, changes: list[tuple[float, float, bytes]]
) -> None:
    TARGETS[name].check(changed(data.draw(st.sampled_from(samples(name))), changes))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(BITS) | st.binary(max_size=8), max_size=40).map(b"".join))
def test_bits_of_every_format(name: str, content: bytes) -> None:
    TARGETS[name].check(content)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_fuzzed_has_samples_to_begin_with(name: str) -> None:
    assert name == "split xml" or any(samples(name))
    for sample in samples(name):
        TARGETS[name].check(sample)


def test_every_parser_every_splitter_and_every_packing_is_fuzzed() -> None:
    assert {f"parse {slug}" for slug, _ in PARSERS.values()} <= set(TARGETS)
    # Of the formats that are one article a file, `text` stands for all: they share one splitter.
    assert {f"split {form.slug}" for form in FORMATS} - set(TARGETS) == {
        f"split {slug}" for slug in ("html", "nitf", "eml", "markdown")
    }
    assert {f"unpack {packing}" for packing in PACKINGS} <= set(TARGETS)
