"""Each input beside the Article that must come of it.

`python -m tests.golden.test_normalise` writes the expectations anew; read the difference before you commit it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from pipeline.records import RawArticle
from pipeline.stages.normalise import normalise

FOLDER = Path(__file__).parent / "normalise"
MEDIA_TYPES = {
    ".txt": "text/plain", ".md": "text/markdown", ".html": "text/html", ".json": "application/json",
    ".rss": "application/rss+xml", ".atom": "application/atom+xml", ".jsonfeed": "application/feed+json",
    ".nitf": "application/nitf+xml", ".g2": "application/vnd.iptc.g2.newsitem+xml",
    ".newsml": "application/vnd.iptc.newsml+xml", ".eml": "message/rfc822", ".csv": "text/csv",
}  # fmt: skip
INPUTS = sorted(path for path in FOLDER.iterdir() if not path.name.endswith(".expected.json"))


def normalised(path: Path) -> dict[str, Any]:
    media_type = MEDIA_TYPES[path.suffix]
    raw = RawArticle("0" * 32, path.name, 0, media_type, "2025-03-19T08:00:00.000Z", "", path.read_bytes())
    fields = asdict(normalise(raw))
    del fields["raw"]
    fields["body"] = fields["body"].split("\n\n")
    fields["origins"] = dict(fields["origins"])
    fields = {name: value for name, value in fields.items() if value not in (None, (), {})}
    plain: dict[str, Any] = json.loads(json.dumps(fields))  # tuples become lists
    return plain


def expected(path: Path) -> Path:
    return path.with_name(path.name + ".expected.json")


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_input_gives_the_expected_article(path: Path) -> None:
    assert normalised(path) == json.loads(expected(path).read_text())


if __name__ == "__main__":
    for each in INPUTS:
        expected(each).write_text(json.dumps(normalised(each), indent=2, ensure_ascii=False) + "\n")
