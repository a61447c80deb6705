"""Your own terms: what rules mean, what is refused, and that a match says why."""

from __future__ import annotations

import pytest

from pipeline.errors import TaxonomyError
from pipeline.stages.tag import Tagger, Taxonomy, parse_taxonomy
from pipeline.stages.tag.rules import RuleFault, parse_rule
from pipeline.terms import Evidence
from tests.unit.stages.tag.articles import article


def ruled(rule: str, more: str = "") -> Taxonomy:
    return parse_taxonomy(f"[[term]]\nid = 't'\nname = 'T'\ntarget = 'topic'\nrule = '''{rule}'''\n{more}")


def holds(rule: str, body: str) -> bool:
    return bool(ruled(rule).find(article(body)))


@pytest.mark.parametrize(
    ("rule", "body", "expected"),
    [
        ("strike", "A strike began.", True),
        ("strike", "A STRIKE began.", True),
        ("strike", "The strikers began.", False),
        ("strike and port", "The port is closed by a strike.", True),
        ("strike and port", "A strike began.", False),
        ("strike or port", "The port is open.", True),
        ("strike and not port", "A strike in the port.", False),
        ("a or b and c", "Only an a here.", True),
        ("(a or b) and c", "Only an a here.", False),
        ('"interest rate"', "The interest rate fell.", True),
        ('"interest rate"', "The rate of interest fell.", False),
        ("bank near/2 central", "The central bank of Norway.", True),
        ("bank near/2 central", "The bank is in the central square.", False),
        ("bank near/3 central", "The bank is in the central square.", True),
        ("(bank or lender) near/1 (central or state)", "A state lender.", True),
        ("東京", "昨日東京で会議が開かれた。", True),
    ],
)
def test_what_a_rule_means(rule: str, body: str, expected: bool) -> None:
    assert holds(rule, body) is expected


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "ends too early"),
        ("not port", "none of its words"),
        ("port and", "ends too early"),
        ("(port", "not closed"),
        ('"port', "not closed"),
        ("port strike", "too much"),
        ("and port", "missing before"),
        ('"..."', "no word"),
        ("(" * 60 + "a" + ")" * 60, "deeper"),
        ("not " * 60 + "a", "deeper"),
    ],
)
def test_a_rule_that_cannot_be_read_says_why(rule: str, said: str) -> None:
    with pytest.raises(RuleFault, match=said):
        parse_rule(rule)


def test_a_rule_of_thousands_of_words_is_read_and_holds() -> None:
    assert holds(" or ".join(f"w{i}" for i in range(5000)), "Here is w4999 at last.")


def test_a_match_says_where_and_in_which_part() -> None:
    (term,) = ruled("strike near/4 port").find(article("In the port a strike began.", "Port waits for strike"))
    assert term.evidence == (
        Evidence("headline", 0, 4, "Port"),
        Evidence("headline", 15, 21, "strike"),
        Evidence("body", 7, 11, "port"),
        Evidence("body", 14, 20, "strike"),
    )


def test_offsets_hold_where_small_letters_are_longer() -> None:
    body = "İİİ and then a strike."
    (term,) = ruled("strike").find(article(body))
    (evidence,) = term.evidence
    assert body[evidence.start : evidence.end] == "strike"


def test_names_and_aliases_with_capitals_that_count() -> None:
    text = "[[term]]\nid = 'who'\nname = 'World Health Org'\naliases = ['WHO']\ntarget = 'organisation'\ncase = true"
    taxonomy = parse_taxonomy(text)
    assert not taxonomy.find(article("Those who came late stood."))
    assert taxonomy.find(article("The WHO spoke."))[0].name == "World Health Org"


def test_every_fault_is_named() -> None:
    text = (
        "[[term]]\nid = 'a b'\nname = 'A'\ntarget = 'topic'\n[[term]]\nid = 'c'\nname = 'C'\ntarget = 'colour'\n[other]"
    )
    with pytest.raises(TaxonomyError) as caught:
        parse_taxonomy(text)
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    "text",
    [
        "term = 3",
        "[[term]]\nid = 3",
        "[[term]]\nid='a'\nname='A'\ntarget='topic'\nsize=3",
        "[[term]]\nid='a'\nname='A'\ntarget='topic'\ncase=3",
        "[[term]]\nid='a'\nname='A'\ntarget='topic'\naliases=3",
        "[[term]]\nid='a'\nname='A'\ntarget='topic'\nrule=3",
        "[[term]]\nid='a'\nname='A'\ntarget='topic'\nrule='b'\naliases=['c']",
        "[[term]]\nid='a'\nname='A'\ntarget='topic'\n[[term]]\nid='a'\nname='A'\ntarget='topic'",
        "a = [" * 100,
    ],
)
def test_what_is_no_taxonomy_is_refused(text: str) -> None:
    with pytest.raises(TaxonomyError):
        parse_taxonomy(text)


def test_terms_stand_before_what_we_found_and_the_version_tells_files_apart() -> None:
    tagger, body = Tagger(), "The council will vote on the new bridge on Thursday, said the Bridge Company of the town."
    first = parse_taxonomy("[[term]]\nid='b'\nname='Bridges'\ntarget='keyword'\nrule='bridge'")
    tags = tagger.tag(article(body), first)
    assert tags.keywords[0] == "Bridges"
    assert (
        tags.taxonomy
        == first.version
        == parse_taxonomy("[[term]]\nid='b'\nname='Bridges'\ntarget='keyword'\nrule='bridge'").version
    )
    assert first.version != parse_taxonomy("").version
    assert tagger.tag(article(body)).taxonomy is None
