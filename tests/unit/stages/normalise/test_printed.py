"""Who wrote it and when, where the page only shows it."""

from __future__ import annotations

from datetime import date

import pytest
from lxml import html

from pipeline.stages.normalise.printed import printed_authors, printed_day


def page(body: str) -> html.HtmlElement:
    return html.document_fromstring(f"<html><head><title>Dam</title></head><body>{body}</body></html>")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('<p class="byline">By Ann Lee</p>', ["Ann Lee"]),
        ('<p class="byline">By <a href="/a">Ann Lee</a> and <a href="/b">Ben Ode</a></p>', ["Ann Lee", "Ben Ode"]),
        ('<div class="post-meta"><span class="author">Von Jörg Maß | 3. Mai 2025</span></div>', ["Jörg Maß"]),
        ('<a rel="author" href="/x">Ana de la Cruz</a>', ["Ana de la Cruz"]),
        (
            '<div itemprop="author"><span>Author</span> <b itemprop="name">Ann Lee</b> <i>Reporter</i></div>',
            ["Ann Lee"],
        ),
        ('<span class="author-name">Ann Lee<time>March 3, 2025</time></span>', ["Ann Lee"]),
        ('<p class="byline">By Ann Lee, published on March 3, 2025</p>', ["Ann Lee"]),
        ('<p class="byline">Posted on March 3, 2025</p>', []),
        ('<div class="about-author">About the author</div>', []),
        ('<div class="comment"><span class="author">Troll</span></div>', []),
        ('<aside><span class="author">Ben Ode</span></aside><p class="byline">Ann Lee</p>', ["Ann Lee"]),
        ('<p class="byline">Name</p><span class="writer">Ann Lee</span>', ["Ann Lee"]),
        ("<p>By Ann Lee</p>", []),
        ('<p class="author">' + "Lee " * 60 + "</p>", []),
    ],
)
def test_names_in_a_byline(body: str, names: list[str]) -> None:
    assert printed_authors(page(body)) == names


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<span class="entry-date">March 3, 2025</span>', "March 3, 2025"),
        ('<p class="posted">3. März 2025</p>', "3. März 2025"),
        ("<time>3 March 2025, 14:22</time>", "3 March 2025, 14:22"),
        ('<div class="related"><time>1 March 2025</time></div><p class="date">3 March 2025</p>', "3 March 2025"),
        ('<p class="updated-at">Rain</p><p>Published: 2025-03-03</p>', "2025-03-03"),
    ],
)
def test_the_day_that_is_shown(body: str, words: str) -> None:
    assert printed_day(page(body + "<p>The dam held through the night.</p>"), set()) == [(words, "page")]


@pytest.mark.parametrize("body", ["", '<span class="date">Tuesday</span>', "<p>© 2025</p>"])
def test_no_day_is_made_up(body: str) -> None:
    assert printed_day(page(f"{body}<p>The dam held through the night.</p>"), set()) == []


def test_of_two_possible_days_the_one_that_is_shown() -> None:
    shown = page('<p class="date">1 March 2025</p><p class="date">3 April 2025</p><p>The dam held.</p>')
    assert printed_day(shown, {date(2025, 3, 4), date(2025, 4, 3)}) == [("3 April 2025", "page")]
    assert printed_day(shown, {date(2025, 3, 5), date(2025, 5, 3)}) == []
