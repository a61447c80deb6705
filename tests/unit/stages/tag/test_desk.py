"""Names as desks write them: datelines, states behind cities, titles, two in one stretch, other spellings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.records import Article
from pipeline.stages.tag import Tagger
from tests.unit.stages.tag.articles import RAW, report


def named(tagger: Tagger, body: str, kind: str) -> list[tuple[str, str]]:
    """The mentions of one kind: as written, and whom or what they name. Offsets are held, too."""
    made = report(body)
    found = tagger.tag(made).mentions
    assert all(made.body[mention.start : mention.end] == mention.text for mention in found)
    return [(mention.text, mention.name) for mention in found if mention.kind == kind]


def ids(tagger: Tagger, body: str) -> list[tuple[str, str, int | None]]:
    return [(place.name, place.code, place.geonames_id) for place in tagger.tag(report(body)).places]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("LONDON, March 18 (Agency) - Engineers looked at the bridge.", ("London", "GB", 2643743)),
        ("NEW DELHI: Engineers looked at the bridge.", ("Delhi", "IN", 1273294)),
        ("Bridge closed\n\nKYIV — Engineers looked at the bridge.", ("Kyiv", "UA", 703448)),
        ("BIRMINGHAM, Ala. — Engineers looked at the bridge.", ("Birmingham", "US", 4049979)),
        ("Engineers looked at the bridge in Birmingham.", ("Birmingham", "GB", 2655603)),
        ("Nurses of Queen Elizabeth Hospital in Birmingham have voted.", ("Birmingham", "GB", 2655603)),
        ("A survey of all church bells in Venice has ended.", ("Venice", "IT", 3164603)),
        ("Shells fell on Kherson on Monday.", ("Kherson", "UA", 706448)),
        ("Engineers of Atlanta, Georgia, looked at the bridge.", ("Atlanta", "US", 4180439)),
    ],
)
def test_a_city_in_a_dateline_or_with_its_state_is_the_right_one(
    body: str, place: tuple[str, str, int], tagger: Tagger
) -> None:
    assert place in ids(tagger, body)


def test_paris_in_texas_is_not_paris(tagger: Tagger) -> None:
    body = "PARIS, Texas (Agency) - A storm tore roofs from homes in Paris, Texas, on Saturday. Paris slept badly."
    assert ids(tagger, body) == [("Paris", "US", 4717560), ("Texas", "US", 4736286)]
    unknown = body.replace("Paris", "Berlin").replace("PARIS", "BERLIN")
    assert ids(tagger, unknown) == [("Texas", "US", 4736286)]
    assert ("Berlin", "Berlin") in named(tagger, unknown, "place")
    assert ids(tagger, "Ministers met in Paris, Canadian officials said.") == [("Paris", "FR", 2988507)]


def test_a_city_with_its_state_is_nobody_who_was_named(tagger: Tagger) -> None:
    body = "Jesse Jackson came to Jackson, Mississippi, on Monday. Later Jackson spoke."
    assert named(tagger, body, "person") == [("Jesse Jackson", "Jesse Jackson"), ("Jackson", "Jesse Jackson")]
    assert ("Jackson", "US", 4431410) in ids(tagger, body)


@pytest.mark.parametrize(
    ("body", "written", "name"),
    [
        ("In Seoul, Lee Jae-myung leads in the polls.", "Lee Jae-myung", "Lee Jae-myung"),
        ("The law was stopped by President Vucic in December.", "Vucic", "Vucic"),
        ("Governor-General Sam Mostyn signed the papers.", "Sam Mostyn", "Sam Mostyn"),
        ("The memoirs tell of Vladimir Putin and of the war.", "Vladimir Putin", "Vladimir Putin"),
        ("On Tuesday President Lai Ching-te spoke in Taipei.", "Lai Ching-te", "Lai Ching-te"),
        ("Luiz Inácio Lula da Silva spoke. Later Lula left the hall.", "Lula", "Luiz Inácio Lula da Silva"),
    ],
)
def test_people_as_they_are_written(body: str, written: str, name: str, tagger: Tagger) -> None:
    assert (written, name) in named(tagger, body, "person")


@pytest.mark.parametrize(
    ("body", "people"),
    [
        ("J.K. Rowling wrote it. J. K. Rowling said so. JK Rowling left.", ["J.K. Rowling"] * 3),
        ("Ursula von der Leyen spoke. Von der Leyen left.", ["Ursula von der Leyen"] * 2),
        ("Abdel Fattah al-Sisi spoke. Then Sisi left.", ["Abdel Fattah al-Sisi"] * 2),
        ("Prince Andrew came. Later Andrew left.", ["Prince Andrew"] * 2),
        ("They asked Lord Mandelson. Mandelson did not mind.", ["Mandelson"] * 2),
        ("Shaquille O'Neal met LeBron James. O'Neal and James left.",
         ["Shaquille O'Neal", "LeBron James", "Shaquille O'Neal", "LeBron James"]),
        ("Secretary of State Mike Pompeo spoke.", ["Mike Pompeo"]),
        ("At the GDC Mr Allard spoke. Mr Allard left.", ["Allard"] * 2),
        ("The cup went to Brazilian Flavio Martinez in Rome.", ["Flavio Martinez"]),
        ("Radio DJ John Peel played it, whilst Ana Matronic sang.", ["John Peel", "Ana Matronic"]),
        ("Whether they want Mr Kennedy or not, Charles Kennedy will run.", ["Charles Kennedy"] * 2),
        ("John Smith and his wife left. The Smiths came back.", ["John Smith"]),
        ("Sinéad O'Connor met Jean-Claude Juncker. Juncker's aides left.",
         ["Sinéad O'Connor", "Jean-Claude Juncker", "Jean-Claude Juncker"]),
    ],
)  # fmt: skip
def test_one_person_has_one_name(body: str, people: list[str], tagger: Tagger) -> None:
    assert [name for _, name in named(tagger, body, "person")] == people


def test_the_city_of_the_dateline_is_no_person(tagger: Tagger) -> None:
    body = "AUSTIN — The city council voted for a new office. Mayor Kirk Watson said Austin had waited long enough."
    found = tagger.tag(replace(report(body), place="AUSTIN"))
    assert found.people == ("Kirk Watson",)
    assert [(place.name, place.geonames_id) for place in found.places[:1]] == [("Austin", 4671654)]
    body = "SYDNEY — Sydney Sweeney came to the opening. Sweeney said that she had never been there before."
    assert tagger.tag(replace(report(body), place="SYDNEY")).people == ("Sydney Sweeney",)


def test_of_namesakes_in_one_country_the_one_near_a_city_that_is_named(tagger: Tagger) -> None:
    body = "Flames came near Los Angeles on Saturday, and the road to Pasadena was closed."
    assert ("Pasadena", "US", 5381396) in ids(tagger, body)
    assert ("Pasadena", "US", 4717782) in ids(tagger, "Flames came near Houston, and the road to Pasadena was closed.")
    assert ("Newcastle", "AU", 2155472) in ids(tagger, "She was flown from Sydney in New South Wales to Newcastle.")


@pytest.mark.parametrize(
    "body",
    [
        "The crowd stood on St. Peter's Square.",
        "We saw A$AP Rocky there.",
        "Mayor Monday.",
        "Stocks fell again.",
        "Mount Lewotobi Laki-Laki erupted.",
        "The march ended at Rue de la Loi in the evening.",
    ],
)
def test_nobody_and_nothing_is_made_up(body: str, tagger: Tagger) -> None:
    found = tagger.tag(report(body))
    assert not {"St. Peter", "Monday", "Stocks", "Mount Lewotobi Laki-Laki", "Rue de la Loi"} & set(found.people)
    assert found.organisations == ()


@pytest.mark.parametrize(
    "body",
    [
        "A quilt went on show. People from Berrien and Cass counties had sewn it.",
        "The quilt can be seen in Berrien County until the spring.",
        "Patience is what it takes. They have waited for nine years.",
        "On Tuesday Rita came closer to the coast. Hurricane Rita may bring floods.",
        "Some in the valley of El Carmelo remain doubtful.",
        "The site Gawkerly wrote that it would close.",
        "Fans of Coldplay and of Euronext were there.",
    ],
)
def test_a_lone_name_with_nothing_that_speaks_for_a_person_is_nobody(body: str, tagger: Tagger) -> None:
    assert named(tagger, body, "person") == []


@pytest.mark.parametrize(
    ("body", "person"),
    [
        ("The bridge is sound, Okwuosa said.", "Okwuosa"),
        ("They asked Dr. Tsegaye for her view.", "Tsegaye"),
        ("The bridge is safe, Sarah told the council.", "Sarah"),
        ("They like O'Gara and the rest of the team.", "O'Gara"),
        ("The cup went to Ireland. Mark said that he was glad.", "Mark"),
    ],
)
def test_a_lone_name_with_a_title_speech_or_a_first_name_is_somebody(body: str, person: str, tagger: Tagger) -> None:
    assert [name for _, name in named(tagger, body, "person")] == [person]


@pytest.mark.parametrize(
    ("body", "organisations"),
    [
        ("Shares in Rio Tinto and Glencore rose.", ["Rio Tinto", "Glencore"]),
        ("The European Central Bank and the Federal Reserve cut rates.", ["European Central Bank", "Federal Reserve"]),
        ("The Food and Drug Administration allows it.", ["Food and Drug Administration"]),
        ("Mexico's suit against Smith & Wesson was heard on Tuesday.", ["Smith & Wesson"]),
        ("The Ontario Nurses' Association called it too little.", ["Ontario Nurses' Association"]),
        ("The Bill & Melinda Gates Foundation gave money.", ["Bill & Melinda Gates Foundation"]),
        ("The Hewlett & Melinda Packard Foundation gave money.", ["Hewlett & Melinda Packard Foundation"]),
        ("Shares in Macy's rose.", ["Macy's"]),
        ("White House Press Secretary Jane Doe said so.", ["White House"]),
        ("They bought two PCs.", []),
        ("He will appear before Birmingham Magistrates' Court on Monday.", ["Birmingham Magistrates' Court"]),
    ],
)
def test_two_bodies_are_two_and_one_is_whole(body: str, organisations: list[str], tagger: Tagger) -> None:
    assert [name for _, name in named(tagger, body, "organisation")] == organisations


def test_places_joined_by_and_are_both_found(tagger: Tagger) -> None:
    body = "Cases in the Democratic Republic of the Congo and Burundi have fallen."
    assert [code for _, code, _ in ids(tagger, body)] == ["CD", "BI"]
    assert [name for name, *_ in ids(tagger, "It was hot in Tucson and Las Vegas.")] == ["Tucson", "Las Vegas"]


def test_england_and_wales_are_two_places_also_in_the_name_of_a_body(tagger: Tagger) -> None:
    assert [name for name, *_ in ids(tagger, "The Police Federation of England and Wales spoke.")] == [
        "England",
        "Wales",
    ]


def test_a_people_is_no_place(tagger: Tagger) -> None:
    body = "Hamas freed three Israeli hostages and Israel released Palestinian prisoners, Iranians and Omanis said."
    assert [text for text, _ in named(tagger, body, "place")] == ["Israel"]


def test_an_elided_article_hides_no_country(tagger: Tagger) -> None:
    body = (
        "Les ministres parleront à Berlin de l'Ukraine et de la défense de l'Union. L'Allemagne et la Pologne y seront."
    )
    found = tagger.tag(Article(RAW, "text", "", True, body, 20))
    assert [place.code for place in found.places] == ["DE", "UA", "DE", "PL"]


def test_a_text_in_capitals_has_a_language(tagger: Tagger) -> None:
    body = "A STRONG EARTHQUAKE SHOOK NORTHERN CHILE ON TUESDAY, THE CENTRE SAID. NO DAMAGE WAS REPORTED."
    assert tagger.tag(Article(RAW, "text", "", True, body, 15)).language == "en"


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ("新华社上海3月18日电，上海地铁新线开通，日本东京的专家参加了验收，印度洋沿海地区的代表也来了。",
         ["Shanghai", "Japan", "Tokyo"]),
        ("東京都は18日、タイガースとタイの関係者が米国の代表に会ったと発表した。",
         ["Tokyo", "Thailand", "United States"]),
        ("서울에서 열린 회의에서 미국 대표가 인도적 지원을 논의했다고 발표했다.",
         ["Seoul", "United States"]),
        ("ฝนตกหนักทำให้น้ำท่วมถนนหลายสายในกรุงเทพฯ เมื่อวันอังคาร และในจังหวัดเชียงใหม่ อเมริกาส่งความช่วยเหลือ",
         ["Bangkok", "Chiang Mai"]),
    ],
)  # fmt: skip
def test_places_where_words_are_not_parted(body: str, places: list[str], tagger: Tagger) -> None:
    found = tagger.tag(Article(RAW, "text", "", True, body, 20))
    assert list(dict.fromkeys(place.name for place in found.places)) == places
    assert all(body[mention.start : mention.end] == mention.text for mention in found.mentions)


def test_a_match_report_of_fifty_words_is_sport_and_a_drone_attack_no_crime(tagger: Tagger) -> None:
    match = (
        "Saka scored in the 89th minute as Arsenal beat Chelsea on Sunday. Palmer had put the visitors ahead from the"
        " penalty spot before the equaliser. The referee showed seven yellow cards."
    )
    war = (
        "Drones hit a block of flats overnight, killing four people, the governor wrote. The air force said that its"
        " air defences shot down 61 of 79. The president asked the allies for missiles after the drone attack."
    )
    assert [topic.label for topic in tagger.tag(Article(RAW, "text", "", True, match, 30)).topics] == [
        "sport",
        "football",
    ]
    labels = [topic.label for topic in tagger.tag(Article(RAW, "text", "", True, war, 40)).topics]
    assert "conflict, war and peace" in labels
    assert "crime, law and justice" not in labels


@pytest.mark.parametrize(
    ("headline", "language"),
    [
        ("上海地铁新线开通", "zh"),
        ("東京で地震、津波の心配なし", "ja"),
        ("서울에 첫눈이 내렸다", "ko"),
        ("น้ำท่วมกรุงเทพฯ", "th"),
        ("प्रधानमंत्री ने आज दिल्ली में बैठक की", "hi"),
        ("北京", None),
        ("Regen", None),
    ],
)
def test_a_headline_alone_has_a_language_where_its_script_says_it(
    headline: str, language: str | None, tagger: Tagger
) -> None:
    assert tagger.tag(Article(RAW, "text", "", True, headline, 3)).language == language


def test_two_languages_that_are_close_are_both_named(tagger: Tagger) -> None:
    found = tagger.tag(Article(RAW, "text", "", True, "Predsjednik je danas posjetio Zagreb", 5))
    assert (found.language, [code for code, _ in found.language_alternatives]) == ("hr", ["bs"])


ENGLISH = (
    "The council has voted for the new bridge over the river, and work will begin in the spring of next year. Those who"
    " live close to it have said that they would rather have had a ferry, which costs less and which they know well."
    " The mayor said that both were looked at with care, and that the bridge would be there for a hundred years."
)
GERMAN = (
    "Der Stadtrat hat für die neue Brücke über den Fluss gestimmt, und im Frühjahr nächsten Jahres soll gebaut werden."
    " Die Anwohner hätten lieber eine Fähre gehabt, weil sie wenig kostet und weil sie lange daran gewöhnt sind."
    " Der Bürgermeister sagte, man habe beides sorgfältig geprüft, und die Brücke werde hundert Jahre lang stehen."
)
SPANISH = (
    "El ayuntamiento ha votado a favor del nuevo puente sobre el río, y las obras comenzarán en primavera."
    " Los vecinos habrían preferido un transbordador, que cuesta menos y que conocen desde hace mucho tiempo."
)


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        (ENGLISH, GERMAN, {"en", "de"}),
        (GERMAN, ENGLISH, {"en", "de"}),
        (GERMAN, SPANISH, {"de", "es"}),
        (SPANISH, GERMAN, {"de", "es"}),
    ],
)
def test_a_text_in_two_languages_says_so(first: str, second: str, both: set[str], tagger: Tagger) -> None:
    found = tagger.tag(Article(RAW, "text", "", True, f"{first}\n\n{second}", 120))
    assert {found.language, *(code for code, _ in found.language_alternatives)} == both
    assert found.language_confidence <= 0.7


@pytest.mark.parametrize(("body", "language"), [(ENGLISH, "en"), (GERMAN, "de"), (f"{ENGLISH} „{GERMAN[:60]}“", "en")])
def test_a_text_in_one_language_with_a_quotation_is_in_that(body: str, language: str, tagger: Tagger) -> None:
    found = tagger.tag(Article(RAW, "text", "", True, body, 60))
    assert (found.language, found.language_alternatives) == (language, ())
    assert found.language_confidence >= 0.9


def test_a_keyword_is_not_shouted_as_its_dateline_is(tagger: Tagger) -> None:
    body = "BEIRA — The port of Beira has new cranes. Beira waits for NATO ships, and NATO pays for the cranes."
    found = tagger.tag(report(body)).keywords
    assert {"Beira", "NATO"} <= set(found)
    assert "BEIRA" not in found
