"""Names by a spaCy pipeline: what we make of them, with a pipeline of ours that needs no spaCy."""

from __future__ import annotations

import pytest

from pipeline.errors import SettingError
from pipeline.stages.tag import Tagger
from pipeline.stages.tag.entities import EntityFinder
from pipeline.stages.tag.letters import cut
from pipeline.stages.tag.statistical import SpacyReader, load
from pipeline.terms import Mention
from pipeline.testing import FakePipeline
from tests.unit.stages.tag.articles import article


def mentions(
    bodies: list[str], names: dict[str, str], languages: list[str | None] | None = None
) -> list[list[Mention]]:
    articles = [article(body) for body in bodies]
    finder = EntityFinder(SpacyReader(FakePipeline(names)))
    found = finder.find(articles, cut(bodies), languages or ["en"] * len(bodies))
    return [each.mentions for each in found]


def test_what_it_names_goes_through_our_rules() -> None:
    text = "They met Quelda Ostrin of the Blue Hands in Lisbon. Later Ostrin left the Blue Hands's office."
    names = {"Quelda Ostrin": "PERSON", "the Blue Hands's": "ORG", "the Blue Hands": "ORG", "Lisbon": "GPE"}
    (found,) = mentions([text], names)
    assert [(mention.text, mention.kind, mention.name) for mention in found] == [
        ("Quelda Ostrin", "person", "Quelda Ostrin"),
        ("Blue Hands", "organisation", "Blue Hands"),
        ("Lisbon", "place", "Lisbon"),
        ("Ostrin", "person", "Quelda Ostrin"),
        ("Blue Hands", "organisation", "Blue Hands"),
    ]
    assert all(text[mention.start : mention.end] == mention.text for mention in found)


def test_labels_that_are_no_kind_of_ours_are_passed_over() -> None:
    assert mentions(["They danced on Monday, as the Wumblers do."], {"Monday": "DATE", "Wumblers": "NORP"}) == [[]]


def test_a_batch_is_read_at_once_and_only_what_is_english() -> None:
    pipeline = FakePipeline({"Quelda Ostrin": "PERSON"})
    bodies = ["Here is Quelda Ostrin.", "Hier ist Quelda Ostrin.", "", "And here is Quelda Ostrin."]
    finder = EntityFinder(SpacyReader(pipeline))
    found = finder.find([article(body) for body in bodies], cut(bodies), ["en", "de", "en", "en"])
    assert pipeline.batches == [[bodies[0], bodies[3]]]
    assert [len(each.mentions) for each in found] == [1, 0, 0, 1]


def test_what_is_not_installed_is_named_with_what_to_do() -> None:
    with pytest.raises(SettingError, match=r"no_such_model is not installed; pip install 'copydesk\[spacy\]'"):
        load("no_such_model")


def test_the_fast_tagger_is_the_usual_one_and_names_no_model() -> None:
    assert Tagger().tag(article("The council will vote on the new bridge on Thursday.")).model is None
