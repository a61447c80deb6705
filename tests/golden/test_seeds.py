"""What `seeds/README.md` promises, held by the pure stages in a plain loop: no Kafka, no watcher.

An article is named by its file, and by `#1`, `#2`, … behind it where the file holds several.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline import ninjs
from pipeline.checked import faults
from pipeline.errors import BadInput
from pipeline.formats import Format
from pipeline.formats import promised as format_of
from pipeline.inbox.splitters import Entry, Limits, split
from pipeline.records import Article, RawArticle, Verdict, article_id, source_name
from pipeline.stages.deduplicate import Index, decode_claims, encode_claims, fingerprint
from pipeline.stages.normalise import normalise
from pipeline.stages.tag import Tagger

SEEDS = Path(__file__).parents[2] / "seeds"
PROMISED: dict[str, Any] = json.loads(Path(__file__).with_name("seeds.expected.json").read_text())
RECEIVED = "2025-03-19T08:00:00.000Z"
LIMITS = Limits(article_bytes=1 << 20, file_bytes=1 << 20, kept_bytes=1 << 20, ratio=200)
CLAIMED_MS = 1_742_371_200_000


@cache
def files() -> dict[str, Format]:
    """Every seed with its format, by name, in order."""
    found = {str(path.relative_to(SEEDS)): format_of(bytes(path)) for path in sorted(SEEDS.rglob("*"))}
    return {name: form for name, form in found.items() if form}


def entries(name: str, form: Format) -> Iterator[Entry]:
    stream = io.BytesIO((SEEDS / name).read_bytes())

    def plain() -> bytes:
        return stream.read(1000)

    return split(plain, name, form, LIMITS)


def read(name: str, form: Format, entry: Entry) -> Article:
    if entry.fault:
        raise entry.fault
    source, sha256 = source_name(name.encode()) + entry.member, hashlib.sha256(entry.content).hexdigest()
    raw = RawArticle(
        id=article_id(source, entry.position, sha256),
        source=source,
        position=entry.position,
        media_type=entry.media_type,
        received=RECEIVED,
        sha256=sha256,
        content=entry.content,
        single=entry.single,
        context=entry.context or {},
    )
    return normalise(raw)


@cache
def outcome() -> tuple[dict[str, Article], dict[str, str]]:
    """All articles by name, and the reason of each rejection by file."""
    articles: dict[str, Article] = {}
    rejected: dict[str, str] = {}
    for name, form in files().items():
        found: list[Article] = []
        try:
            for entry in entries(name, form):
                try:
                    found.append(read(name, form, entry))
                except BadInput as fault:
                    rejected[name] = fault.reason
        except BadInput as fault:
            rejected[name] = fault.reason
        several = len(found) > 1
        articles |= {f"{name}#{number}" if several else name: article for number, article in enumerate(found, 1)}
    return articles, rejected


def judge(names: list[str], batch: int) -> dict[str, Verdict]:
    """The verdict on each of `names`, claimed in that order, `batch` at a time."""
    articles, _ = outcome()
    index = Index(window_seconds=3600)
    verdicts: list[Verdict] = []
    for start in range(0, len(names), batch):
        claim = [fingerprint(articles[name]) for name in names[start : start + batch]]
        verdicts += index.apply(decode_claims(encode_claims(claim, CLAIMED_MS)))
    return dict(zip(names, verdicts, strict=True))


def in_order(seed: int) -> list[str]:
    """The articles' names: as the folder lists them (0), backwards (1), or shuffled."""
    names = list(outcome()[0])
    if seed == 1:
        names.reverse()
    elif seed:
        random.Random(seed).shuffle(names)
    return names


@cache
def records() -> dict[str, bytes]:
    """Every article's record, by name."""
    articles, _ = outcome()
    tagger = Tagger()
    return {
        name: ninjs.duplicate(articles[name], verdict)
        if verdict.kind == "duplicate"
        else ninjs.enriched(articles[name], verdict, tagger.tag(articles[name]))
        for name, verdict in judge(in_order(0), batch=500).items()
    }


def test_the_books_balance_with_the_totals_promised() -> None:
    _, rejected = outcome()
    found = [orjson.loads(record)["x_copydesk"] for record in records().values()]
    duplicates = sum("duplicate" in ours for ours in found)
    assert PROMISED["totals"] == {
        "files": len(files()),
        "received": len(found) + len(rejected),
        "enriched": len(found) - duplicates,
        "revisions": sum("revision" in ours for ours in found),
        "duplicates": duplicates,
        "rejected": len(rejected),
    }


def test_what_is_no_article_is_rejected_for_the_reason_promised() -> None:
    assert outcome()[1] == PROMISED["rejected"]


def test_files_that_hold_several_articles_give_them_all() -> None:
    counts = Counter(name.partition("#")[0] for name in outcome()[0])
    assert {name: count for name, count in counts.items() if count > 1} == PROMISED["several"]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("batch", [1, 7, 500])
def test_groups_are_the_same_whatever_arrives_first(seed: int, batch: int) -> None:
    names = {article.id: name for name, article in outcome()[0].items()}
    groups: dict[str, set[str]] = {}
    methods: dict[str, set[str | None]] = {}
    for name, verdict in judge(in_order(seed), batch).items():
        if verdict.kind == "duplicate":
            assert verdict.of is not None
            groups.setdefault(verdict.of, {names[verdict.of]}).add(name)
            methods.setdefault(verdict.of, set()).add(verdict.method)
    promised = PROMISED["groups"].values()
    assert sorted(map(sorted, groups.values())) == sorted(group["members"] for group in promised)
    expected = {group["members"][0]: group["method"] for group in promised if group["method"] != "either"}
    found = {min(groups[of]): methods[of] for of in groups}
    assert {first: found[first] for first in expected} == {first: {method} for first, method in expected.items()}


@pytest.mark.parametrize("seed", range(6))
def test_the_later_of_two_versions_is_a_revision_of_the_earlier(seed: int) -> None:
    names = {article.id: name for name, article in outcome()[0].items()}
    order = in_order(seed)
    revisions = [(name, verdict) for name, verdict in judge(order, 7).items() if verdict.kind == "revision"]
    assert [sorted((name, names[verdict.of or ""])) for name, verdict in revisions] == PROMISED["revisions"]
    for name, verdict in revisions:
        assert order.index(names[verdict.of or ""]) < order.index(name)
        assert verdict.number == 1


def test_every_record_passes_both_schemas() -> None:
    assert {name: faults(record) for name, record in records().items() if faults(record)} == {}


def test_no_original_goes_untagged_and_every_language_is_recognised() -> None:
    found = {name: orjson.loads(record) for name, record in records().items()}
    enriched = {name: record for name, record in found.items() if "duplicate" not in record["x_copydesk"]}
    assert [name for name, record in enriched.items() if "tagging_failed" in record["x_copydesk"]] == []
    expected = {name: PROMISED["languages"].get(name, "en") for name in enriched}
    # Which of the two French texts is the original is not promised.
    expected |= {name: "fr" for name in enriched if "loire" in name}
    assert {name: record["language"] for name, record in enriched.items()} == expected


def test_facts_that_articles_state_reach_their_slots() -> None:
    found = {name: orjson.loads(records()[name]) for name in PROMISED["facts"]}
    shown = {name: {key: found[name].get(key) for key in facts} for name, facts in PROMISED["facts"].items()}
    assert shown == PROMISED["facts"]


def test_exactly_those_without_a_date_have_none() -> None:
    undated = [name for name, record in records().items() if "contentCreated" not in orjson.loads(record)]
    assert undated == PROMISED["undated"]


def test_what_surrounds_an_article_on_its_page_stays_out_of_its_body() -> None:
    articles, _ = outcome()
    for name, strangers in PROMISED["not_in_bodies"].items():
        assert [words for words in strangers if words in articles[name].body] == [], name


def test_articles_are_as_long_as_news_is() -> None:
    assert {name: a.word_count for name, a in outcome()[0].items() if not 120 <= a.word_count <= 450} == {}


def test_the_readme_lists_every_file_and_the_same_totals() -> None:
    readme = (SEEDS / "README.md").read_text()
    listed = re.findall(r"^\| `([^`]+)` \|", readme, re.M)
    assert sorted(listed) == sorted(files())
    totals = PROMISED["totals"]
    assert (
        f"{totals['files']} files:** {totals['received']} received = {totals['enriched']} enriched"
        f" (one of them a revision) + {totals['duplicates']} duplicates + {totals['rejected']} rejected"
    ) in readme


def test_the_readme_names_the_group_of_every_member() -> None:
    rows = dict(re.findall(r"^\| `([^`]+)` \|[^|]*\| (.*) \|$", (SEEDS / "README.md").read_text(), re.M))
    for group, promised in PROMISED["groups"].items():
        members = {member.partition("#")[0] for member in promised["members"]}
        assert {file for file, outcome in rows.items() if f"group *{group}*" in outcome} == members
