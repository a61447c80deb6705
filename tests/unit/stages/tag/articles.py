"""Articles of our own for the tagger."""

from __future__ import annotations

from pipeline.records import Article, RawArticle

RAW = RawArticle("0" * 32, "wire/a.txt", 0, "text/plain", "2025-03-18T09:00:00.000Z", "0" * 64, b"")
_TAIL = " They said on Tuesday that the work would go on until the end of the week, and that nobody had been hurt."


def article(body: str, headline: str = "", language: str | None = None, place: str | None = None) -> Article:
    return Article(RAW, "text", headline, not headline, body, len(body.split()), language=language, place=place)


def report(body: str) -> Article:
    """With a sentence behind `body` that leaves no doubt of its language and names nothing."""
    return article(body + _TAIL)
