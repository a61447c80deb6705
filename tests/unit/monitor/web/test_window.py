"""What the page keeps: bounded, folded, found again; and of hostile or foreign records nothing but bounded text."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.monitor.looks import Look
from pipeline.monitor.web.stories import MOST_STORIES
from pipeline.monitor.web.window import MOST_ARTICLES, MOST_FOLDED, MOST_LETTERS, MOST_ORPHANS, Query, Window

HARBOUR: dict[str, Any] = {
    "language": "en",
    "headlines": [{"value": "Harbour reopens"}],
    "firstCreated": "2025-03-18T09:00:00Z",
    "bodies": [{"value": "Ships came back to LISBON today.\n\nMore tomorrow.", "wordCount": 8}],
    "subjects": [{"name": "transport"}],
    "people": [{"name": "Ana Reis"}],
}


def look(name: str, offset: int, record: Any, headers: dict[str, str] | None = None) -> Look:
    value = record if isinstance(record, bytes) else json.dumps(record).encode()
    pairs = [(key, text.encode()) for key, text in (headers or {}).items()]
    return Look(name, f"articles.{name}", 0, offset, 1_742_288_400_000 + offset, b"k", value, pairs)


def add(window: Window, name: str, offset: int, record: Any, headers: dict[str, str] | None = None) -> None:
    found = look(name, offset, record, headers)
    window.add(found, found.json)


def article(number: int, source: str = "wire/a.txt", **more: Any) -> dict[str, Any]:
    return HARBOUR | more | {"x_copydesk": {"id": f"id-{number}", "source": source, "keywords": ["ferry"]}}


def copy(number: int, of: int) -> dict[str, Any]:
    said = {"of": f"id-{of}", "method": "near", "similarity": 0.81}
    return HARBOUR | {"x_copydesk": {"id": f"copy-{number}", "source": "copies/b.txt", "duplicate": said}}


def told(name: str, size: int, duplicates: int = 0) -> dict[str, Any]:
    counts = {"size": size, "duplicates": duplicates, "languages": {"pt": 2, "en": 1}}
    times = {"first_seen": "2025-03-18T09:00:00Z", "last_seen": "2025-03-19T09:00:00Z"}
    return {"story": name, "headline": name} | counts | times


def of_story(number: int, story: str) -> dict[str, Any]:
    made = article(number)
    return made | {"x_copydesk": made["x_copydesk"] | {"story": story}}


def found(window: Window, **asked: str) -> list[str]:
    return [one["id"] for one in window.find(Query(**asked))["articles"]]


def test_newest_first_and_copies_under_their_original_whichever_came_first() -> None:
    window = Window()
    add(window, "duplicates", 1, copy(1, of=2))
    add(window, "enriched", 2, article(2))
    add(window, "enriched", 5, article(5))
    add(window, "enriched", 3, article(3))
    add(window, "duplicates", 6, copy(6, of=2))
    add(window, "duplicates", 6, copy(6, of=2))
    assert found(window) == ["id-5", "id-3", "id-2"]
    story = window.find(Query())["articles"][2]
    assert [one["id"] for one in story["copies"]] == ["copy-1", "copy-6"]
    assert (story["copies_total"], story["copies"][0]["similarity"]) == (2, 0.81)
    assert story["changed"] > window.find(Query())["articles"][1]["changed"]


def test_everything_is_bounded() -> None:
    window = Window()
    for number in range(MOST_ARTICLES + 50):
        add(window, "enriched", number, article(number, body="x" * 9))
    for number in range(MOST_ORPHANS + 50):
        add(window, "duplicates", number, copy(number, of=-1))
    for number in range(MOST_FOLDED + 5):
        add(window, "duplicates", number, copy(10_000 + number, of=MOST_ARTICLES))
    for number in range(MOST_LETTERS + 50):
        add(window, "rejected", number, b"\xff", {"reason": "binary"})
    everything = window.find(Query(), most=10_000)
    assert (everything["total"], len(everything["articles"])) == (MOST_ARTICLES, MOST_ARTICLES)
    story = next(one for one in everything["articles"] if one["id"] == f"id-{MOST_ARTICLES}")
    assert (len(story["copies"]), story["copies_total"]) == (MOST_FOLDED, MOST_FOLDED + 5)
    assert len(window._orphans) == MOST_ORPHANS
    assert len(window.letters(10_000)) == MOST_LETTERS
    assert window.letters(1)[0]["offset"] == MOST_LETTERS + 49


def test_an_article_of_megabytes_takes_a_few_kilobytes() -> None:
    window = Window()
    huge = "Ω" * 1_000_000
    names = [{"name": huge[:1_000]}] * 2_000
    monster = article(1, headlines=[{"value": huge}], bodies=[{"value": huge}], people=names, subjects=names, by=huge)
    add(window, "enriched", 1, monster)
    assert len(json.dumps(window.find(Query()), ensure_ascii=False)) < 20_000
    assert len(window._articles["id-1"].words) < 20_000


def test_search_by_word_tag_source_and_language() -> None:
    window = Window()
    add(window, "enriched", 1, article(1))
    add(window, "enriched", 2, article(2, source="caf%C3%A9/b.txt", language="pt", people=[], headlines=[]))
    assert found(window, words="lisbon SHIPS") == ["id-2", "id-1"]
    assert found(window, words="reopens") == ["id-1"]
    assert found(window, words="reopens nowhere") == []
    assert found(window, tag="ana reis") == found(window, language="en") == ["id-1"]
    assert found(window, tag="ferry") == ["id-2", "id-1"]
    assert found(window, source="Café/") == found(window, words="café") == ["id-2"]
    assert found(window, language="pt", tag="ana") == []
    said = window.find(Query(language="pt"))
    assert (said["found"], said["total"]) == (1, 2)
    assert said["facets"]["languages"] == ["en", "pt"]
    assert set(said["facets"]["sources"]) == {"wire", "café"}
    assert "transport" in said["facets"]["tags"]


def test_an_article_says_how_many_its_story_has_as_far_as_anybody_told() -> None:
    window = Window()
    add(window, "enriched", 1, of_story(1, "id-1"))
    add(window, "enriched", 2, of_story(2, "id-2"))
    add(window, "enriched", 3, of_story(3, "id-1"))
    sizes = {one["id"]: one["story_articles"] for one in window.find(Query())["articles"]}
    assert sizes == {"id-1": 2, "id-2": 1, "id-3": 2}
    add(window, "stories", 9, told("id-1", size=7, duplicates=2))
    cards = {one["id"]: one for one in window.find(Query())["articles"]}
    assert [cards[name]["story_articles"] for name in ("id-1", "id-2", "id-3")] == [5, 1, 5]
    # Both look different now, and so are drawn again; the other one is left alone.
    assert [cards[name]["changed"] == window.version for name in ("id-1", "id-2", "id-3")] == [True, False, True]
    assert found(window, story="id-1") == ["id-3", "id-1"]
    for number in range(10, 10 + MOST_ARTICLES):
        add(window, "enriched", number, article(number))
    assert (found(window, story="id-1"), dict(window._by_story)) == ([], {})


def test_the_largest_stories_of_the_last_days() -> None:
    window = Window()
    day_ms = 86_400_000
    add(window, "stories", 0, told("old", size=90))
    add(window, "stories", 4 * day_ms, told("copies", size=50, duplicates=49))
    add(window, "stories", 4 * day_ms + 1, told("small", size=2))
    add(window, "stories", 4 * day_ms + 2, told("large", size=3))
    add(window, "stories", 4 * day_ms + 3, told("large", size=9, duplicates=4))
    add(window, "stories", 4 * day_ms + 4, told("newer", size=2))
    said = window.find(Query())["stories"]
    assert [(one["id"], one["articles"], one["duplicates"]) for one in said] == [
        ("large", 5, 4), ("newer", 2, 0), ("small", 2, 0),
    ]  # fmt: skip
    assert said[0]["languages"] == ["pt", "en"]
    for number in range(MOST_STORIES + 50):
        add(window, "stories", 5 * day_ms + number, told(f"s{number}", size=2))
    assert len(window._stories._told) == MOST_STORIES


def test_a_dead_letter_keeps_its_reason_and_leaves_its_bytes_in_kafka() -> None:
    window = Window()
    said = {
        "reason": "binary",
        "error": "no text\x1b[2J",
        "stage": "normalise",
        "source": "odd/%FF.txt",
        "position": "3",
    }
    add(window, "rejected", 7, b"\x00" * 5_000, said)
    (letter,) = window.letters()
    assert letter == {
        "partition": 0, "offset": 7, "time": "2025-03-18T09:00:00.007Z", "reason": "binary", "error": "no text\\x1b[2J",
        "stage": "normalise", "source": "odd/\\xff.txt", "position": "3", "attempts": "", "bytes": 5_000,
    }  # fmt: skip


ODD: list[Any] = [
    None,
    True,
    -1,
    10**30,
    0.5,
    "",
    "x",
    [],
    [None],
    [[]],
    ["a", 3],
    [{}],
    [{"name": {"a": 1}}],
    {},
    {"name": []},
]
ANYTHING = st.sampled_from([*ODD, [{"value": 7, "wordCount": "9"}], {"of": 3, "similarity": "high", "number": "x"}])
KEYS = [*HARBOUR, "x_copydesk", "infoSources", "contentCreated", "organisations", "places", "by", "located"]
KEYS += ["story", "size", "duplicates", "headline", "languages", "first_seen"]
OURS = ["source", "keywords", "warnings", "revision", "duplicate", "tagging_failed", "story"]


@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING), st.dictionaries(st.sampled_from(OURS), ANYTHING))
def test_no_shape_of_record_breaks_it(record: dict[str, Any], ours: dict[str, Any]) -> None:
    window = Window()
    for name in ("enriched", "duplicates", "rejected", "stories"):
        add(window, name, 1, record)
        add(window, name, 3, record | {"story": "a", "size": 3})
        add(window, name, 2, record | {"x_copydesk": ours | {"id": "a"}})
    json.dumps(window.find(Query(words="a", tag="b", source="c")))
    json.dumps([window.find(Query()), window.letters()])
