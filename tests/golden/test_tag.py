"""Short articles of our own, each beside its tags: `NAME.txt` (headline, blank line, body) and `NAME.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.records import Article, RawArticle, Tags
from pipeline.stages.tag import Tagger

FOLDER = Path(__file__).parent / "tag"
CASES = sorted(path.stem for path in FOLDER.glob("*.txt"))


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger()


def read(name: str, place: str | None) -> Article:
    headline, _, body = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").strip().partition("\n\n")
    raw = RawArticle("0" * 32, name, 0, "text/plain", "2025-03-18T09:00:00.000Z", "0" * 64, b"")
    return Article(raw, "text", headline, False, body, len(body.split()), place=place)


def shown(tags: Tags) -> dict[str, Any]:
    """The tags as the JSON files write them."""
    return {
        "language": tags.language,
        "people": list(tags.people),
        "organisations": list(tags.organisations),
        "places": [f"{place.name}, {place.code}" for place in tags.places],
        "topics": [f"{topic.code} {topic.label}" for topic in tags.topics],
        "keywords": list(tags.keywords),
    }


@pytest.mark.parametrize("name", CASES)
def test_an_article_gets_the_tags_written_beside_it(name: str, tagger: Tagger) -> None:
    expected = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    article = read(name, expected.pop("dateline", None))
    assert shown(tagger.tag(article)) == expected


def test_company_changes_nothing(tagger: Tagger) -> None:
    """With headlines and without, each before and after each: what stands at the end of a text, too."""
    wire = sorted((Path(__file__).parents[2] / "seeds/wire").glob("*.txt"))
    raw = RawArticle("0" * 32, "a.txt", 0, "text/plain", "2025-03-18T09:00:00.000Z", "0" * 64, b"")
    bodies = [path.read_text(encoding="utf-8").strip() for path in wire]
    articles = [read(name, None) for name in CASES] + [Article(raw, "text", "", True, body, 200) for body in bodies]
    alone = [tagger.tag(article) for article in articles]
    assert tagger.tag_all(articles) == alone
    assert tagger.tag_all(articles[::-1]) == alone[::-1]


def test_the_set_is_there() -> None:
    assert len(CASES) >= 12
