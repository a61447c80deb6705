"""What an article costs by stage and by format, where articles of all formats come mixed.

The same article costs several times as much in a stream as in a loop over itself, whose every word and branch is in a
cache; so each format is timed batch by batch between the others.
"""

from __future__ import annotations

import hashlib
import html
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from email.message import EmailMessage
from itertools import cycle
from xml.sax.saxutils import escape

import orjson
from rich.table import Table

from pipeline.commands.loop import STAGES, Stopwatch, run_batch
from pipeline.generate import articles
from pipeline.records import RawArticle, article_id
from pipeline.stages.deduplicate import Index
from pipeline.stages.tag import Tagger

_BATCH = 140
_RECEIVED = "2025-03-18T09:00:00.000Z"
_MENU = "".join(f'<li><a href="/s/{number}">Section {number}</a></li>' for number in range(60))

Story = Mapping[str, str]
"""`title`, `body` and `published` of a generated article."""


def _text(story: Story) -> bytes:
    return f"{story['title']}\n\n{story['body']}\n".encode()


def _markdown(story: Story) -> bytes:
    return f"---\ndate: {story['published']}\n---\n# {story['title']}\n\n{story['body']}\n".encode()


def _html(story: Story) -> bytes:
    title, body = html.escape(story["title"]), "".join(f"<p>{html.escape(p)}</p>" for p in _paragraphs(story))
    facts = orjson.dumps({"@type": "NewsArticle", "headline": story["title"], "datePublished": story["published"]})
    return (
        f"<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>{title}</title>"
        f'<script type="application/ld+json">{facts.decode()}</script></head><body><nav><ul>{_MENU}</ul></nav>'
        f"<main><article><h1>{title}</h1>{body}</article></main><footer><ul>{_MENU}</ul></footer></body></html>"
    ).encode()


def _json(story: Story) -> bytes:
    return orjson.dumps(dict(story))


def _nitf(story: Story) -> bytes:
    body = "".join(f"<p>{escape(p)}</p>" for p in _paragraphs(story))
    return (
        f"<nitf><head><title>{escape(story['title'])}</title></head><body><body.head><hedline><hl1>"
        f"{escape(story['title'])}</hl1></hedline></body.head><body.content>{body}</body.content></body></nitf>"
    ).encode()


def _rss(story: Story) -> bytes:
    body = "".join(f"<p>{html.escape(p)}</p>" for p in _paragraphs(story))
    return (
        f"<item><title>{escape(story['title'])}</title><pubDate>Tue, 18 Mar 2025 09:00:00 GMT</pubDate>"
        f"<description>{escape(body)}</description></item>"
    ).encode()


def _eml(story: Story) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"] = story["title"], "desk@example.org"
    message["Date"] = "Tue, 18 Mar 2025 09:00:00 +0000"
    message.set_content(story["body"])
    return message.as_bytes()


def _paragraphs(story: Story) -> list[str]:
    return story["body"].split("\n\n")


FORMATS: dict[str, tuple[str, Callable[[Story], bytes]]] = {
    "text": ("text/plain", _text),
    "markdown": ("text/markdown", _markdown),
    "html": ("text/html", _html),
    "json": ("application/json", _json),
    "rss": ("application/rss+xml", _rss),
    "nitf": ("application/nitf+xml", _nitf),
    "eml": ("message/rfc822", _eml),
}
"""By slug: the media type, and what makes an article of it."""


def mixed(count: int) -> Iterable[tuple[str, RawArticle]]:
    """`count` generated articles with the slug of their format, each format in turn."""
    for number, (made, (slug, (media_type, make))) in enumerate(
        zip(articles(count, seed=2), cycle(FORMATS.items()), strict=False)
    ):
        content = make(orjson.loads(made.line))
        sha256 = hashlib.sha256(content).hexdigest()
        source = f"bench-{number}.{slug}"
        yield slug, RawArticle(article_id(source, 0, sha256), source, 0, media_type, _RECEIVED, sha256, content)


def costs(count: int) -> dict[str, dict[str, float]]:
    """CPU microseconds an article by format, then by stage; what goes to the tagger counts for all articles alike."""
    stream = list(mixed(count))
    watches = {slug: Stopwatch() for slug in FORMATS}
    tagger, index = Tagger(), Index(7 * 86_400)
    for start in range(0, len(stream), _BATCH):
        batch: dict[str, list[RawArticle]] = defaultdict(list)
        for slug, raw in stream[start : start + _BATCH]:
            batch[slug].append(raw)
        for slug, raws in batch.items():
            run_batch(raws, tagger, index, watches[slug])
    numbers = Counter(slug for slug, _ in stream)
    return {
        slug: {stage: seconds / number * 1e6 for stage, seconds in watches[slug].cpu_seconds.items()}
        for slug, number in numbers.items()
    }


def table(found: Mapping[str, Mapping[str, float]]) -> Table:
    """The costs as a table: a row a format, a column a stage."""
    shown = Table("CPU µs an article", *STAGES, "all")
    for column in shown.columns[1:]:
        column.justify = "right"
    for slug, by in found.items():
        shown.add_row(slug, *(f"{by[stage]:,.0f}" for stage in STAGES), f"{sum(by.values()):,.0f}")
    return shown
