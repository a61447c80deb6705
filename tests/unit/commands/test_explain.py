import gzip
import json
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.commands import explain
from pipeline.commands.desk import Desk
from pipeline.errors import FolderError
from pipeline.formats import FORMATS, promised
from pipeline.settings import Settings
from pipeline.testing import FakeClock

FERRY = (
    " date 2025-03-18 LISBON - The first ferry in eleven days left the harbour at dawn on Tuesday.\n\n"
    "Its captain, Ana Sousa, said the storm had kept forty crews on land and emptied the fish market."
)
Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    def command(*arguments: object) -> str:
        parser = ArgumentParser()
        explain.add_arguments(parser)
        settings = Settings(inbox=(str(tmp_path),))
        assert explain.run(settings, parser.parse_args([str(argument) for argument in arguments])) == 0
        return capsys.readouterr().out

    return command


def test_every_outcome_is_told_in_the_order_of_the_file(run: Run, tmp_path: Path) -> None:
    article = json.dumps({"title": "Ferries sail again", "body": FERRY})
    (tmp_path / "feed.jsonl").write_text(f"{article}\n{{broken\n{article}\n")
    found = [json.loads(line) for line in run("--json", tmp_path / "feed.jsonl").splitlines()]
    assert [one["outcome"] for one in found] == ["enriched", "rejected", "duplicates"]
    assert [one["position"] for one in found] == [0, len(article) + 1, len(article) + 9]
    assert found[1]["headers"]["reason"] == "parse"
    assert found[1]["value"] == "{broken"
    assert found[2]["value"]["x_copydesk"]["duplicate"]["of"] == found[0]["key"]
    assert found[0]["bytes_found"] == len(article)
    assert found[0]["bytes_on_wire"] > len(FERRY)


def test_duplicates_are_found_across_the_files_given(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(FERRY)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(FERRY.encode()))
    text = run(tmp_path / "a.txt", tmp_path / "b.txt.gz")
    assert "enriched 1 · duplicates 1" in text
    assert "2025-03-18, from “2025-03-18” (date-line)" in text
    assert "bytes on the wire" in text
    assert "exact, similarity 1.000" in text


def test_files_that_the_watcher_would_not_touch_are_named(run: Run, tmp_path: Path) -> None:
    for name in (".hidden.txt", "report.pdf"):
        (tmp_path / name).write_text("x")
    text = run(tmp_path / ".hidden.txt", tmp_path / "report.pdf")
    assert ".hidden.txt is left alone" in text
    assert "report.pdf waits" in text
    assert "left alone 2" in text
    assert json.loads(run("--json", tmp_path / "report.pdf"))["outcome"] == "left alone"


def test_empty_files_and_links_are_rejected(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "link.txt").symlink_to("empty.txt")
    found = [json.loads(line) for line in run("--json", tmp_path / "empty.txt", tmp_path / "link.txt").splitlines()]
    assert [one["headers"]["reason"] for one in found] == ["empty", "symlink"]


def test_a_missing_file_or_a_folder_is_one_line(run: Run, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="does not exist"):
        run(tmp_path / "none.txt")
    with pytest.raises(FolderError, match="is a folder"):
        run(tmp_path)


def test_the_source_is_the_path_in_the_inbox_that_holds_the_file(tmp_path: Path) -> None:
    file = tmp_path / "inbox" / "wire" / "a.txt"
    file.parent.mkdir(parents=True)
    file.write_text(FERRY)
    inside = Desk(Settings(inbox=(str(tmp_path / "inbox"),)), FakeClock())
    (found,) = inside.explain(file)
    assert found.look.json["x_copydesk"]["source"] == "wire/a.txt"
    (found,) = Desk(Settings(inbox=()), FakeClock()).explain(file)
    assert found.look.json["x_copydesk"]["source"] == "a.txt"


SEEDS = Path(__file__).parents[3] / "seeds"
STOOD = {
    "wire/daily/river-2025-03-17.txt": "text published=date-line",
    "languages/ja-kissaten.txt": "text",
    "formats/beekeeper.txt": "front-matter body=front-matter",
    "formats/lighthouse.md": "front-matter",
    "formats/orchard.nitf": "nitf version=nitf copyright=nitf",
    "formats/archive.g2": "newsml-g2 embargo=newsml-g2 usage_terms=newsml-g2",
    "formats/ferry-bell.newsml": "newsml status=newsml",
    "formats/dark-sky.jsonld": "field url=field",
    "formats/kelp-farm.json": "field version=field",
    "feeds/agency.jsonl": "field place=text",
    "formats/council.csv": "csv",
    "formats/clock-swifts.rdf": "feed publisher=file",
    "formats/valley.rss": "feed language=file",
    "formats/garden.atom": "feed language=file",
    "formats/night-bus.jsonfeed": "feed publisher=file",
    "formats/museum-clock.eml": "mail publisher=mail",
    "formats/press-desk.mbox": "mail place=text",
    "web/glacier-lake.html": "json-ld body=page url=meta",
    "web/night-trains.html": "page byline=meta published=meta",
    "web/crawl.warc": "page url=file",
    "packed/night-desk.zip": "text place=text",
    "packed/crime-and-sport.tar.bz2": "text place=text",
}


def test_of_every_format_it_says_where_each_fact_stood(run: Run) -> None:
    for name, expected in STOOD.items():
        found = json.loads(run("--json", SEEDS / name).splitlines()[0])
        headline, *others = expected.split()
        assert found["origins"]["headline"] == headline, name
        assert {fact: found["origins"].get(fact) for fact, _, _ in (each.partition("=") for each in others)} == dict(
            each.split("=") for each in others
        ), name
    covered = {form.slug for name in STOOD if (form := promised(name.encode()))}
    assert {form.slug for form in FORMATS} - covered == {"xml"}
