"""The mixed stream of the benchmark: every format says the same article, and costs are told by format and stage."""

from __future__ import annotations

from pipeline.commands.loop import STAGES
from pipeline.commands.mixed import FORMATS, costs, mixed
from pipeline.generate import articles
from pipeline.stages.normalise import PARSERS, normalise


def test_every_format_holds_the_same_article() -> None:
    made = {slug: make for slug, (_, make) in FORMATS.items()}
    assert len(made) == 7
    found = [(slug, normalise(raw)) for slug, raw in mixed(14)]
    assert [article.format for _, article in found] == [PARSERS[FORMATS[slug][0]][0] for slug, _ in found]
    # In plain text a first line that ends without a sign is the beginning of the text.
    assert {slug for slug, article in found if len(article.paragraphs) != 6} == {"text"}
    assert all(article.headline and not article.headline_derived for slug, article in found if slug != "text")


def test_a_stream_is_mixed_article_by_article() -> None:
    assert [slug for slug, _ in mixed(9)] == [*FORMATS, *list(FORMATS)[:2]]
    assert len(list(articles(9, seed=2))) == 9


def test_costs_are_told_for_each_format_and_stage() -> None:
    found = costs(14)
    assert list(found) == list(FORMATS)
    assert all(tuple(by) == STAGES for by in found.values())
    assert sum(by["tag"] for by in found.values()) > 0
