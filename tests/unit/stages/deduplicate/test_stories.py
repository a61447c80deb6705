"""Stories by whole articles: what belongs together, and what must not."""

from __future__ import annotations

from pipeline.records import Article, RawArticle, Verdict
from pipeline.stages.deduplicate import Index, decode_claims, encode_claims, fingerprints

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
START_MS = 1_742_300_000_000
WEEK, THREE_DAYS = 604_800, 259_200

QUAKE = (
    "A strong earthquake shook the Kashira valley on Monday, and the mayor of Orlen said that the old bridge had "
    "fallen. Rescue teams from Velmora are on their way to Orlen, where the hospital has no power."
)
AFTER = (
    "Rescuers from Velmora pulled two children from a school in Orlen a day after the Kashira earthquake. The hospital "
    "is treating the injured in tents, its director said, and the bridge will be closed for months."
)
AID = (
    "Velmora will send tents and generators to the Kashira valley, its government said. The earthquake left most of "
    "Orlen without power, and the hospital there asked for blood."
)
OTHER = (
    "The opera house in Budapest opens its season with a new Traviata under a conductor who stepped in at a week's "
    "notice. Tickets were sold out within minutes, the manager said, and a second evening is planned."
)


def article(number: int, body: str, url: str | None = None) -> Article:
    raw = RawArticle(f"{number:032x}", f"{number}.txt", 0, "text/plain", "", "", b"")
    return Article(raw, "text", "", False, body, len(body.split()), url=url)


def told(*articles: tuple[Article, int]) -> list[Verdict]:
    """Verdicts on articles claimed one by one, each so many milliseconds after the start."""
    index = Index(WEEK, THREE_DAYS)
    return [
        index.apply(decode_claims(encode_claims(fingerprints([one]), START_MS + after)))[0] for one, after in articles
    ]


def stories(*articles: tuple[Article, int]) -> list[int]:
    """Number of the article that began the story of each."""
    return [
        int(v.story, 16) if v.story else int(one.id, 16) for v, (one, _) in zip(told(*articles), articles, strict=True)
    ]


def test_reports_on_one_event_are_a_story_and_another_event_is_none() -> None:
    found = stories(
        (article(1, QUAKE), 0), (article(2, OTHER), 1), (article(3, AFTER), DAY_MS), (article(4, AID), DAY_MS)
    )
    assert found == [1, 2, 1, 1]


def test_a_story_ends_when_nothing_came_for_its_window() -> None:
    assert stories((article(1, QUAKE), 0), (article(2, AFTER), 3 * DAY_MS)) == [1, 1]
    assert stories((article(1, QUAKE), 0), (article(2, AFTER), 3 * DAY_MS + 1)) == [1, 2]


def test_a_story_takes_nothing_once_it_began_a_week_ago() -> None:
    days = [(article(1, QUAKE), 0), (article(2, AFTER), 3 * DAY_MS), (article(3, AID), 6 * DAY_MS)]
    assert stories(*days, (article(4, AFTER + " More tents came."), 7 * DAY_MS + 1))[:3] == [1, 1, 1]
    late = article(
        4, "Orlen buries its dead: the Kashira earthquake took a school, a bridge and a hospital in Velmora."
    )
    assert stories(*days, (late, 7 * DAY_MS))[3] == 1
    assert stories(*days, (late, 7 * DAY_MS + 1))[3] == 4


def test_copies_and_new_versions_stay_with_their_original() -> None:
    page = "https://example.org/opera"
    found = told(
        (article(1, QUAKE), 0),
        (article(2, AFTER), 1),
        (article(3, AFTER), 2),
        (article(4, OTHER, page), 3),
        (
            article(5, "The opera in Budapest has cancelled its season, since the roof of the house is leaking.", page),
            4,
        ),
    )
    assert [verdict.kind for verdict in found] == ["original", "original", "duplicate", "original", "revision"]
    assert [int(verdict.story or "0", 16) for verdict in found] == [0, 1, 1, 0, 4]


def test_an_article_that_is_claimed_again_gets_its_story_again() -> None:
    first, second = article(1, QUAKE), article(2, AFTER)
    assert stories((first, 0), (second, 1), (first, 2), (second, 3)) == [1, 1, 1, 1]


def test_results_of_companies_are_no_story() -> None:
    frame = (
        "{} said its net profit for the quarter to June rose to {} mln dlrs from {} mln dlrs, on sales of {} mln dlrs, "
        "or {} cts a share. Order intake at the maker of {} was {} pct above that of the quarter before."
    )
    one = frame.format("Halvorsen Pumps", 12, 10, 300, 41, "pumps", 7)
    other = frame.format("Brightwater Looms", 55, 51, 900, 19, "looms", 4)
    assert stories((article(1, one), 0), (article(2, other), 1)) == [1, 2]


def test_a_thousand_articles_at_once_are_judged_as_one_by_one() -> None:
    bodies = [f"{body} Report {number} by desk {number % 7}." for number in range(60) for body in (QUAKE, AFTER, OTHER)]
    articles = [(article(number + 1, body), 0) for number, body in enumerate(bodies)]
    claims = encode_claims(fingerprints([one for one, _ in articles]), START_MS)
    assert Index(WEEK, THREE_DAYS).apply(decode_claims(claims)) == told(*articles)


def test_what_is_out_of_the_window_is_forgotten() -> None:
    index = Index(WEEK, THREE_DAYS)
    for batch in range(10):
        claims = fingerprints([article(1000 * batch + number, f"{QUAKE} {batch} {number}") for number in range(500)])
        index.apply(decode_claims(encode_claims(claims, START_MS + batch * 3 * DAY_MS)))
    assert index.story_bytes < 2**22 + 5000 * 230
    index.apply(decode_claims(encode_claims(fingerprints([article(7, OTHER)]), START_MS + 60 * DAY_MS)))
    assert index.story_bytes < 2**22 + 1100 * 230
