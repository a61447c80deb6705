"""The rules of tagging, one by one, on sentences of our own."""

from __future__ import annotations

import pytest

from pipeline.records import Tags
from pipeline.stages.tag import Tagger
from tests.unit.stages.tag.articles import article


def found(tags: Tags, kind: str) -> list[tuple[str, str]]:
    return [(m.text, m.name) for m in tags.mentions if m.kind == kind]


def places(tags: Tags) -> list[tuple[str, str]]:
    return [(place.name, place.code) for place in tags.places]


# --- language -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "language"),
    [
        ("The council will vote on the new bridge on Thursday.", "en"),
        ("Der Stadtrat stimmt am Donnerstag über die neue Brücke ab.", "de"),
        ("El ayuntamiento votará el jueves sobre el nuevo puente.", "es"),
        ("Городской совет проголосует за новый мост в четверг.", "ru"),
        ("市議会は木曜日に新しい橋について採決する予定だと発表した。", "ja"),
    ],
)
def test_the_language_is_recognised(body: str, language: str, tagger: Tagger) -> None:
    tags = tagger.tag(article(body))
    assert tags.language == language
    assert tags.language_confidence > 0.5


@pytest.mark.parametrize("body", ["", "   ", "Short.", "12 34 56 78 90 12 34 56 78 90 12 34"])
def test_what_is_too_short_has_no_language_and_no_tags(body: str, tagger: Tagger) -> None:
    assert tagger.tag(article(body)) == Tags()


def test_the_declared_language_decides_only_where_the_text_leaves_doubt(tagger: Tagger) -> None:
    clear = "The council will vote on the new bridge on Thursday."
    assert tagger.tag(article(clear, language="fr")).language == "en"
    doubtful = "Han er en god mand og en god ven af os alle."
    assert tagger.tag(article(doubtful, language="da")).language == "da"


# --- people ---------------------------------------------------------------------------------------


def test_a_surname_is_the_person_named_in_full(tagger: Tagger) -> None:
    tags = tagger.tag(article("President Donald Trump spoke first. Later Trump left, and aides followed him out."))
    assert found(tags, "person") == [("Donald Trump", "Donald Trump"), ("Trump", "Donald Trump")]
    assert tags.people == ("Donald Trump",)


def test_a_surname_before_the_full_name_is_that_person_too(tagger: Tagger) -> None:
    tags = tagger.tag(article("It was a long day for Merkel. In the evening Angela Merkel went home without a word."))
    assert tags.people == ("Angela Merkel",)


def test_of_two_people_with_one_surname_the_last_named_is_meant(tagger: Tagger) -> None:
    text = "Hillary Clinton came early. Clinton sat down. Then Bill Clinton arrived, and Clinton waved to the crowd."
    assert found(tagger.tag(article(text)), "person") == [
        ("Hillary Clinton", "Hillary Clinton"),
        ("Clinton", "Hillary Clinton"),
        ("Bill Clinton", "Bill Clinton"),
        ("Clinton", "Bill Clinton"),
    ]


def test_a_person_named_like_a_city_is_a_person(tagger: Tagger) -> None:
    tags = tagger.tag(
        article("Denzel Washington said he was tired. Washington will rest for a month, he told the crew.")
    )
    assert tags.people == ("Denzel Washington",)
    assert not tags.places


def test_titles_are_no_part_of_a_name_save_for_crowned_heads(tagger: Tagger) -> None:
    text = "Foreign Minister Leila Osman met King Charles and Mr. Smith, whom she had known for many years."
    assert tagger.tag(article(text)).people == ("Leila Osman", "King Charles", "Smith")


def test_speech_makes_a_person_of_an_unknown_name(tagger: Tagger) -> None:
    text = "The well is dry, said Tsegaye Woldu, who has farmed here all his life and will not move."
    assert tagger.tag(article(text)).people == ("Tsegaye Woldu",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The plan came from Harbour President Tim Clark, who had asked for it.", "Tim Clark"),
        ("While Karen Wilson said nothing, the others talked all evening long.", "Karen Wilson"),
    ],
)
def test_what_stands_before_a_name_is_no_part_of_it(text: str, expected: str, tagger: Tagger) -> None:
    assert tagger.tag(article(text)).people == (expected,)


def test_two_people_with_an_and_are_two(tagger: Tagger) -> None:
    text = "The match was lost by Karen Wilson and Peter Johnson, who had never played together before."
    assert tagger.tag(article(text)).people == ("Karen Wilson", "Peter Johnson")


def test_a_handle_names_nobody(tagger: Tagger) -> None:
    assert not tagger.tag(article("More about it from @KarenWilson, who saw the fire from her window.")).people


@pytest.mark.parametrize(
    "text",
    [
        "The company sold more MacBooks than ever, and the MagSafe plug is back, the shop said.",
        "He drove a MkII Ford Escort to the coast and back, which took him the whole of the day.",
        "The study, which was printed in JAMA Psychiatry, looked at sleep in the young and the old.",
        "There is a Dell Alienware AW3418DW on the desk, with a lamp beside it that does not work.",
        "Most Muslims in the town had not heard about it before the council met on that evening.",
        "It is payable June Eight to holders of May 21, and the new shares will be handed out June Five.",
        "The airline will add a third flight to Spokane, Wash. It flies to thirty cities from its base in Denver.",
    ],
)
def test_products_papers_and_peoples_are_nobody(text: str, tagger: Tagger) -> None:
    assert not tagger.tag(article(text)).people


@pytest.mark.parametrize(
    "name", ["Ronald McDonald", "Ron DeSantis", "LeBron James", "Jude Law", "Benny Hill", "JD Vance"]
)
def test_people_with_odd_names_are_people(name: str, tagger: Tagger) -> None:
    text = f"It was {name} who spoke first, and nobody else said a word after that for a long while."
    assert tagger.tag(article(text)).people == (name,)


def test_a_surname_behind_the_first_word_of_a_sentence_is_that_person(tagger: Tagger) -> None:
    tags = tagger.tag(
        article("President Donald Trump spoke first. Then Trump left. Later Trump came back to the hall.")
    )
    assert [text for text, name in found(tags, "person") if name == "Donald Trump"] == [
        "Donald Trump",
        "Trump",
        "Trump",
    ]


# --- organisations --------------------------------------------------------------------------------


def test_the_white_house_is_no_city(tagger: Tagger) -> None:
    tags = tagger.tag(article("Officials at the White House would not say when the visit takes place."))
    assert tags.organisations == ("White House",)
    assert not tags.places


def test_an_acronym_in_brackets_stands_for_the_name_before_it(tagger: Tagger) -> None:
    text = "The Alpine Rescue Federation (ARF) asked for money. A year ago the ARF had asked for less than that."
    assert found(tagger.tag(article(text)), "organisation") == [
        ("Alpine Rescue Federation", "Alpine Rescue Federation"),
        ("ARF", "Alpine Rescue Federation"),
        ("ARF", "Alpine Rescue Federation"),
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Shares of Northwind Pharmaceuticals fell by a tenth after the news.", "Northwind Pharmaceuticals"),
        ("She teaches at the University of Leeds and lives close to it.", "University of Leeds"),
        (
            "The rule comes from the Securities and Exchange Commission, they said.",
            "Securities and Exchange Commission",
        ),
        ("Most of the U.N. staff had left the town before the rain came.", "United Nations"),
    ],
)
def test_organisations_are_known_by_name_or_form(text: str, name: str, tagger: Tagger) -> None:
    assert tagger.tag(article(text)).organisations == (name,)


def test_a_small_word_in_a_line_of_capitals_is_no_body(tagger: Tagger) -> None:
    text = "SO {} WON THE DEBATE?\n\nThe candidates met in Atlanta, and were asked about health care for two hours."
    assert not tagger.tag(article(text.format("WHO"))).organisations
    told = "The WHO met in Atlanta, and its members were asked about health care and vaccines for two hours."
    assert tagger.tag(article(told)).organisations == ("World Health Organization",)


def test_text_in_title_case_names_nobody(tagger: Tagger) -> None:
    text = "Donald Trump Says Trade Group Will Pay For New Bank Of Steel City After Long Hard Talks"
    tags = tagger.tag(article(text))
    assert not tags.people
    assert not tags.organisations


# --- places ---------------------------------------------------------------------------------------


def test_one_country_under_several_names(tagger: Tagger) -> None:
    tags = tagger.tag(
        article("The UK agreed. Britain will pay, and the United Kingdom will send a team, ministers said.")
    )
    assert places(tags) == [("United Kingdom", "GB")]
    assert [m.text for m in tags.mentions] == ["UK", "Britain", "United Kingdom"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Police in Birmingham, Alabama, closed two roads on Friday night.", "US"),
        ("Police in Birmingham closed two roads on Friday night, as other British towns did.", "GB"),
        ("Police in Birmingham closed two roads on Friday night.", "GB"),
    ],
)
def test_of_namesakes_the_one_whose_country_is_spoken_of_else_the_largest(
    text: str, expected: str, tagger: Tagger
) -> None:
    assert places(tagger.tag(article(text)))[0] == ("Birmingham", expected)


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("The singer from Canada plays in London tonight, and then goes home.", None, ("London", "GB")),
        ("Port workers of the Seychelles went on strike, and the harbour stood still.", "VICTORIA", ("Victoria", "SC")),
        ("The ships wait off Antwerp and off Valencia until the cranes are mended.", None, ("Valencia", "ES")),
        ("In Caracas and in Valencia the lights went out, as in much of Venezuela.", None, ("Valencia", "VE")),
    ],
)
def test_of_namesakes_the_one_nearest_to_what_else_is_named(
    text: str, place: str | None, expected: tuple[str, str], tagger: Tagger
) -> None:
    assert expected in places(tagger.tag(article(text, place=place)))


@pytest.mark.parametrize(
    "text",
    [
        "Reading is good for you, and a nice book is better than a film.",
        "Nice weather is what they hoped for in the mobile home park.",
        "Mobile phones were left at the door, and nobody minded that at all.",
        "Vladimir was late again, as his friends had thought he would be.",
        "Jordan scored twice and left the field with a smile on his face.",
        "The New York Times wrote about it before anybody else had noticed.",
        "A parade of the Boston Celtics blocked the road for half a day.",
    ],
)
def test_common_words_and_longer_names_are_no_places(text: str, tagger: Tagger) -> None:
    assert not tagger.tag(article(text)).places


def test_a_guarded_city_is_taken_where_its_country_is_spoken_of(tagger: Tagger) -> None:
    tags = tagger.tag(article("The carnival in Nice drew a million people, the most in France since the war."))
    assert places(tags) == [("Nice", "FR"), ("France", "FR")]


def test_a_country_named_like_something_else_needs_a_neighbour(tagger: Tagger) -> None:
    alone = "Voters in Georgia go to the polls on Sunday, and both camps hope for rain."
    assert not tagger.tag(article(alone)).places
    beside = "Voters in Georgia go to the polls on Sunday, and in Tbilisi both camps hope for rain."
    assert ("Georgia", "GE") in places(tagger.tag(article(beside)))


def test_a_city_comes_with_its_position_and_number(tagger: Tagger) -> None:
    (lisbon,) = tagger.tag(article("The trams of Lisbon stood still for a day, to the anger of many.")).places
    assert (lisbon.kind, lisbon.code, lisbon.geonames_id) == ("city", "PT", 2267057)
    assert lisbon.latitude == pytest.approx(38.7, abs=0.1)
    assert lisbon.longitude == pytest.approx(-9.1, abs=0.1)


def test_the_dateline_is_a_place_without_a_mention(tagger: Tagger) -> None:
    tags = tagger.tag(article("The trams stood still for a day, to the anger of many.", place="LISBON"))
    assert places(tags) == [("Lisbon", "PT")]
    assert not tags.mentions


# --- other languages ------------------------------------------------------------------------------


def test_other_languages_get_large_cities_and_keywords_but_no_guesses(tagger: Tagger) -> None:
    text = "Der Haushalt wurde in Berlin beraten. Peter Schneider von der Universität Essen lehnt den Haushalt ab."
    tags = tagger.tag(article(text))
    assert tags.language == "de"
    assert places(tags) == [("Berlin", "DE")]
    assert tags.keywords == ("Haushalt",)
    assert (tags.people, tags.organisations, tags.topics) == ((), (), ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Die Züge aus München fahren seit gestern wieder nach Wien, teilte die Bahn in Frankreich mit.",
         [("Munich", "DE"), ("Vienna", "AT"), ("France", "FR")]),
        ("Le train part de Lisbonne et va en Allemagne, puis il revient par les Pays-Bas le lendemain.",
         [("Lisbon", "PT"), ("Germany", "DE"), ("Netherlands", "NL")]),
        ("Сегодня Москва и Германия договорились о новых поездах, сообщает министерство транспорта.",
         [("Moscow", "RU"), ("Germany", "DE")]),
    ],
)  # fmt: skip
def test_places_are_known_by_their_names_in_the_articles_language(
    text: str, expected: list[tuple[str, str]], tagger: Tagger
) -> None:
    tags = tagger.tag(article(text))
    assert places(tags) == expected
    assert all(mention.text == text[mention.start : mention.end] for mention in tags.mentions)


def test_a_name_of_another_language_is_no_place() -> None:
    # Swedish for Iceland
    assert not places(Tagger().tag(article("They lived on Island Road until the old house was sold to a stranger.")))


def test_a_language_without_a_stop_list_gets_no_keywords(tagger: Tagger) -> None:
    tags = tagger.tag(article("Городской совет проголосует за мост. Мост построят в четверг, сказали в совете."))
    assert tags.keywords == ()


# --- topics and keywords --------------------------------------------------------------------------


def test_one_word_makes_no_topic(tagger: Tagger) -> None:
    assert not tagger.tag(article("A vaccine was the last thing on his mind when he woke up that day.")).topics


@pytest.mark.parametrize(
    ("headline", "body", "label"),
    [
        (
            "Retailer's profit falls by a third",
            "The shoe shop chain said on Monday that net income fell by a third in its third quarter, as sales slowed"
            " and costs rose.",
            "economy, business and finance",
        ),
        (
            "Late goal sinks visitors",
            "A striker's header in the last minute gave the home side a win over the champions, who had led at the"
            " break and missed a penalty kick.",
            "sport",
        ),
        (
            "Insurgents hold two villages",
            "Troops have lost two villages to insurgents in the north after a night of shelling, the army said.",
            "conflict, war and peace",
        ),
        (
            "Browser gets a patch",
            "The software maker has mended its web browser, through which a computer virus had spread by e-mail since"
            " Friday.",
            "economy, business and finance",
        ),
    ],
)
def test_a_brief_has_the_topic_that_is_clear(headline: str, body: str, label: str, tagger: Tagger) -> None:
    assert tagger.tag(article(body, headline=headline)).topics[0].label == label


def test_a_specific_topic_comes_with_its_top_topic(tagger: Tagger) -> None:
    text = "The earthquake struck at night. After the earthquake came a tsunami, and rescuers dug in the rubble."
    topics = tagger.tag(article(text, headline="Earthquake and tsunami kill dozens")).topics
    assert [topic.code for topic in topics] == ["03000000", "20000151"]
    assert topics[0].confidence >= topics[1].confidence


def test_keywords_are_said_more_than_once_and_share_no_word(tagger: Tagger) -> None:
    text = "The climate talks failed. New climate talks begin in May, and the delegates are tired. Delegates left."
    assert tagger.tag(article(text)).keywords == ("climate talks", "delegates")


def test_half_a_sign_alone_costs_no_name(tagger: Tagger) -> None:
    tags = tagger.tag(article("Ferries to \ud800 Lisbon were late, the port of Rotterdam said.", "\udfff late"))
    assert ("Rotterdam", "Rotterdam") in found(tags, "place")
