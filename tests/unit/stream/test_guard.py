from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from pipeline.errors import BadInput, BrokenRecord, TooCostly
from pipeline.records import RawArticle
from pipeline.settings import Settings
from pipeline.stages.normalise import normalise
from pipeline.stream.guard import Guard, is_costly

PAGE = (
    b"<html><head><title>Dam</title></head><body><article><p>"
    + b"The dam held through the night. " * 20
    + b"</p></article>"
)
# trafilatura takes eight seconds for it: what a budget is for.
HOSTILE = PAGE + b"<span>some text of the span</span> " * 12_000


def raw(content: bytes, media_type: str = "text/html") -> RawArticle:
    return RawArticle("0" * 32, "a", 0, media_type, "2025-03-19T08:00:00.000Z", "", content)


@contextmanager
def guard(seconds: float = 60.0, **options: object) -> Iterator[Guard]:
    with closing(Guard(Settings(parse_seconds=seconds), costly=lambda _: True, **options)) as made:  # type: ignore[arg-type]
        yield made


def test_what_is_small_stays_and_what_is_large_or_has_many_tags_goes() -> None:
    assert not is_costly(raw(PAGE))
    assert is_costly(raw(b"<b>" * 7_000))
    assert not is_costly(raw(b"<b>" * 7_000, "text/plain"))
    assert is_costly(raw(b"a " * 200_000, "text/plain"))


def test_a_child_gives_the_same_article_and_the_same_error() -> None:
    with guard() as guarded:
        assert guarded(raw(PAGE)) == normalise(raw(PAGE))
        with pytest.raises(BrokenRecord, match="no JSON"):
            guarded(raw(b"{broken", "application/json"))


def test_over_its_budget_the_article_alone_is_lost() -> None:
    with guard(seconds=0.4) as guarded:
        with pytest.raises(TooCostly, match=r"over parse_seconds \(0.4\); simplify"):
            guarded(raw(HOSTILE))
        assert guarded(raw(b"The dam held.", "text/plain")).body == "The dam held."


def test_memory_is_bounded_too() -> None:
    with guard(memory_bytes=8 << 20) as guarded:
        with pytest.raises(BadInput):
            guarded(raw(b'{"body": "' + b"a " * 3_000_000 + b'"}', "application/json"))
        assert guarded(raw(b"The dam held.", "text/plain")).body == "The dam held."


def test_fields_that_a_setting_names_are_known_in_the_child_too() -> None:
    settings = Settings(fields="headline=kopf.titel body=inhalt,text")
    article = raw(b'{"kopf": {"titel": "Dam holds"}, "inhalt": "The dam held."}', "application/json")
    with closing(Guard(settings)) as here, closing(Guard(settings, costly=lambda _: True)) as there:
        assert here(article) == there(article)
        assert (here(article).headline, here(article).body) == ("Dam holds", "The dam held.")
