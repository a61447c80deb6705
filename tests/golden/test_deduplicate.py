"""Pairs of articles, one after the other, and what must become of the second: each file says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.records import Article, RawArticle, article_id
from pipeline.stages.deduplicate import Index, decode_claims, encode_claims, fingerprint

CASES = sorted((Path(__file__).parent / "deduplicate").glob("*.json"))


def article(given: dict[str, str], number: int) -> Article:
    source = given.get("source", f"{number}.txt")
    raw = RawArticle(article_id(source, 0, str(number)), source, 0, "text/plain", "", "", b"")
    body = given["body"]
    return Article(raw, "text", given.get("headline", ""), False, body, len(body.split()), url=given.get("url"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_second_of_a_pair(path: Path) -> None:
    case: dict[str, Any] = json.loads(path.read_text("utf-8"))
    pair = [fingerprint(article(case[name], number)) for number, name in enumerate(("first", "second"))]
    first, second = Index(86_400).apply(decode_claims(encode_claims(pair, 1_742_300_000_000)))
    assert first.kind == "original"
    assert second.of == (None if second.kind == "original" else pair[0].id)
    assert {name: getattr(second, name) for name in case["verdict"]} == case["verdict"], f"{case['why']}: {second}"
