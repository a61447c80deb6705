from io import StringIO

from rich.console import Console, RenderableType

from pipeline import ninjs
from pipeline.monitor.cards import card
from pipeline.monitor.looks import Look
from pipeline.records import ORIGINAL, Article, Dated, RawArticle, Rejected, Tags, Verdict
from pipeline.terms import Place, Topic

RAW = RawArticle("0" * 32, "wire/ferry.txt", 0, "text/plain", "2025-03-18T14:22:05.120Z", "ab", b"Ferries sail again.")
ARTICLE = Article(
    raw=RAW,
    format="text",
    headline="Ferries sail again",
    headline_derived=True,
    body="The first ferry left [red]at dawn[/red], \x1b[2Jits captain said.\n\nMore follows.",
    word_count=1234,
    byline=("Ana Sousa",),
    published=Dated("2025-03-18T00:00:00Z", "day", False, "2025-03-18", "date-line"),
    place="LISBON",
    warnings=("charset-guessed",),
)
TAGS = Tags(
    language="en",
    language_confidence=0.9,
    people=tuple(f"Person {number}" for number in range(10)),
    organisations=("Port Authority",),
    places=(Place("Portugal", "country", "PT"),),
    topics=(Topic("20000139", "transport", 80),),
    keywords=("ferry",),
)


def text_of(shown: RenderableType, width: int = 100) -> str:
    console = Console(file=StringIO(), width=width, markup=False, highlight=False, emoji=False)
    console.print(shown)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def shown(name: str, value: bytes | None, headers: list[tuple[str, bytes]] | None = None) -> str:
    return text_of(card(Look(name, f"articles.{name}", 1, 5, 0, RAW.id.encode(), value, headers or [])))


def test_an_enriched_card_says_what_a_reader_wants_to_know() -> None:
    text = shown("enriched", ninjs.enriched(ARTICLE, ORIGINAL, TAGS))
    for expected in (
        "enriched",
        "Ferries sail again",
        "wire/ferry.txt · 2025-03-18 · en · Ana Sousa · LISBON · 1,234 words · headline derived",
        "and 2 more",
        "Port Authority",
        "Portugal",
        "transport",
        "charset-guessed",
        f"{RAW.id} · partition 1 · offset 5",
    ):
        assert expected in text
    assert "More follows" not in text


def test_nothing_in_an_article_reaches_the_terminal_as_a_command() -> None:
    text = shown("enriched", ninjs.enriched(ARTICLE, ORIGINAL, TAGS))
    assert "\x1b" not in text
    assert "[red]at dawn[/red], \\x1b[2Jits" in text


def test_a_revision_and_a_duplicate_name_what_they_refer_to() -> None:
    revision = shown("enriched", ninjs.enriched(ARTICLE, Verdict("revision", of="1" * 32, number=2), Tags()))
    assert f"number 2, of {'1' * 32}" in revision
    derived = shown("enriched", ninjs.enriched(ARTICLE, Verdict("derived", of="1" * 32, similarity=0.25), Tags()))
    assert f"from {'1' * 32}, similarity 0.25" in derived
    duplicate = shown("duplicates", ninjs.duplicate(ARTICLE, Verdict("duplicate", "1" * 32, "near", 0.912)))
    assert f"near, similarity 0.912, of {'1' * 32}" in duplicate


def test_a_failed_tagger_is_named() -> None:
    assert "no model" in shown("enriched", ninjs.enriched(ARTICLE, ORIGINAL, Tags(failed="no model")))


def test_a_rejected_card_says_why_and_shows_the_first_bytes() -> None:
    rejected = Rejected(RAW.id, b"\x00\xff \x1b]0;x\x07", "binary", "x.txt is no text", "normalise", "x.txt", 0, 2)
    text = shown("rejected", rejected.content, rejected.headers())
    for expected in ("binary", "x.txt · position 0 · stage normalise · 2 attempts", "x.txt is no text", "\\x00\\xff"):
        assert expected in text
    assert "\x1b" not in text


def test_raw_and_files_cards() -> None:
    raw = shown("raw", RAW.content, RAW.headers())
    assert "text/plain" in raw
    assert "Ferries sail again." in raw
    assert "published" in shown("files", b'{"published": 5, "state": "published"}')
    assert "(empty)" in shown("files", None)


def test_foreign_records_are_shown_as_the_bytes_they_are() -> None:
    for value in (b"no json", b"[]", b'{"bodies": "x", "headlines": 3}', b'{"x_copydesk": []}', b"{}"):
        assert "partition 1" in shown("enriched", value)


def test_a_long_first_paragraph_is_cut_between_words() -> None:
    long = Article(RAW, "text", "h", False, "word " * 400, 400)
    assert "word …" in shown("enriched", ninjs.enriched(long, ORIGINAL, Tags()))
