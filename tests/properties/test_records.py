"""Raw records survive the way over Kafka whatever is in them, and ids depend on all that they should."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import rfc3339
from pipeline.records import RawArticle, article_id, source_name

positions = st.integers(0, (1 << 63) - 1)
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
paths = st.binary(min_size=1, max_size=80)
moments = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)).map(rfc3339)  # noqa: DTZ001
places = st.tuples(paths.map(source_name), positions, hashes, st.integers(0, 1 << 40))
raws = st.builds(
    RawArticle,
    id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    source=paths.map(source_name),
    position=positions,
    media_type=st.sampled_from(["text/plain", "text/html", "application/json", "text/plain; charset=x"]),
    received=moments,
    sha256=hashes,
    content=st.binary(max_size=200),
    version=positions,
    single=st.booleans(),
)


@given(raws)
def test_headers_round_trip(raw: RawArticle) -> None:
    assert RawArticle.from_record(raw.id.encode(), raw.content, raw.headers()) == raw


@given(paths)
def test_a_source_name_is_reversible_and_printable(path: bytes) -> None:
    name = source_name(path)
    assert unquote_to_bytes(name) == path
    assert name.isascii()
    assert name.isprintable()
    assert " " not in name


@given(places, places)
def test_ids_are_the_same_exactly_where_everything_is(
    one: tuple[str, int, str, int], other: tuple[str, int, str, int]
) -> None:
    assert (article_id(*one) == article_id(*other)) == (one == other)
    assert article_id(*one) == article_id(*one)
    assert len(bytes.fromhex(article_id(*one))) == 16


@given(
    st.one_of(st.none(), st.binary(max_size=40)),
    st.lists(
        st.tuples(
            st.sampled_from(["source", "position", "media-type", "received", "sha256", "version", "x"]),
            st.one_of(st.none(), st.binary(max_size=30), st.just(b"0"), st.just(b"2025-03-18T09:00:00Z")),
        ),
        max_size=8,
    ),
)
def test_any_other_record_is_a_raw_article_or_one_of_three_errors(key: bytes, headers: list[tuple[str, bytes]]) -> None:
    try:
        raw = RawArticle.from_record(key, b"", headers)
    except (KeyError, ValueError, AttributeError):
        return
    assert RawArticle.from_record(raw.id.encode(), b"", raw.headers()) == raw
