"""From ready files to runs, over restarts: every article once, the same ids each time."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from pipeline.inbox import taking
from pipeline.inbox.feeder import Feeder
from pipeline.inbox.ledger import Ledger
from pipeline.inbox.scan import scan
from pipeline.inbox.splitters import Limits
from pipeline.inbox.taking import Run

TIME = "2025-03-18T09:00:00.000Z"
LIMITS = Limits(article_bytes=1 << 20, file_bytes=8 << 20, kept_bytes=1 << 20, ratio=200)


class Inbox:
    """A folder with its ledger, published to a list; `crash` forgets all but what was committed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ledger = Ledger("in")
        self.runs: list[Run] = []

    def publish(self, most_runs: int = 99) -> list[tuple[str, int, bytes]]:
        """Everything unsettled, by at most so many transactions; what came out."""
        before = len(self.runs)
        feeder = Feeder(os.fsencode(self.root), "in", self.ledger, LIMITS)
        for look in sorted(scan(os.fsencode(self.root))):
            known = self.ledger.get(look.path)
            if known is None or not known.settled(look):
                feeder.add(look)
        while len(self.runs) < before + most_runs and (run := feeder.fill(TIME)).ledger:
            self.runs.append(run)
            for look, noted in run.ledger:
                self.ledger.put(look.path, noted)
        feeder.close()
        return [(raw.source, raw.position, raw.content) for run in self.runs[before:] for raw in run.raw]

    @property
    def ids(self) -> list[str]:
        return [raw.id for run in self.runs for raw in run.raw]

    @property
    def reasons(self) -> list[str]:
        return [bad.reason for run in self.runs for bad in run.rejected]


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


LINES = b"".join(b'{"n": %d, "pad": "%s"}\n' % (number, b"x" * 9000) for number in range(2000))


def test_a_file_comes_once_and_a_touched_one_not_again(inbox: Inbox) -> None:
    story = inbox.root / "a.txt"
    story.write_bytes(b"one")
    assert inbox.publish() == [("a.txt", 0, b"one")]
    assert inbox.publish() == []
    os.utime(story, (1, 1))
    assert inbox.publish() == []
    assert inbox.runs[-1].ledger[0][1].published == 1


def test_a_replaced_file_comes_anew_with_ids_of_its_own(inbox: Inbox) -> None:
    for content in (b"one", b"two!", b"one"):
        (inbox.root / "a.txt").write_bytes(content)
        assert inbox.publish() == [("a.txt", 0, content)]
    assert len(set(inbox.ids)) == 3
    known = inbox.ledger.get(b"a.txt")
    assert known is not None
    assert (known.version, known.published) == (2, 3)


def test_appended_lines_go_on_from_the_ledger(inbox: Inbox) -> None:
    wire = inbox.root / "wire.jsonl"
    wire.write_bytes(b"1\n2")
    assert inbox.publish() == [("wire.jsonl", 0, b"1"), ("wire.jsonl", 2, b"2")]
    wire.write_bytes(b"1\n2\n3\n")
    assert inbox.publish() == [("wire.jsonl", 4, b"3")]
    wire.write_bytes(b"0\n2\n3\n")
    assert [content for _, _, content in inbox.publish()] == [b"0", b"2", b"3"]


def test_appended_members_of_an_archive_too(inbox: Inbox) -> None:
    wire = inbox.root / "wire.jsonl.gz"
    wire.write_bytes(gzip.compress(b"1\n"))
    inbox.publish()
    wire.write_bytes(gzip.compress(b"1\n") + gzip.compress(b"2\n"))
    assert inbox.publish() == [("wire.jsonl.gz", 2, b"2")]


def test_an_archive_cut_short_goes_on_once_it_is_whole(inbox: Inbox) -> None:
    wire, whole = inbox.root / "wire.jsonl.gz", gzip.compress(b"1\n" * 9 + os.urandom(3000).hex().encode())
    wire.write_bytes(whole[:-30])
    first = inbox.publish()
    assert inbox.reasons == ["archive-limit"]
    wire.write_bytes(gzip.compress(b"".join(content + b"\n" for _, _, content in first)))
    inbox.publish()
    assert len(set(inbox.ids)) == len(inbox.ids)


@pytest.mark.parametrize("name", ["big.jsonl", "big.jsonl.gz", "list.json"])
def test_a_crash_between_any_two_transactions_loses_and_doubles_nothing(inbox: Inbox, name: str) -> None:
    content = b"[" + LINES.replace(b"\n", b",")[:-1] + b"]" if name == "list.json" else LINES
    (inbox.root / name).write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    limits_met = 0
    if name == "list.json":
        (inbox.root / name).write_bytes(content[:7_000_000].rpartition(b",{")[0] + b"]")
    while inbox.publish(most_runs=1):
        limits_met += 1
    assert limits_met > 1
    whole = Inbox(inbox.root)
    whole.publish()
    assert inbox.ids == whole.ids
    assert len(set(whole.ids)) == len(whole.ids) > 500


def test_runs_are_bounded_and_small_files_do_not_wait_for_a_large_one(inbox: Inbox) -> None:
    (inbox.root / "big.jsonl").write_bytes(LINES)
    (inbox.root / "z.txt").write_bytes(b"brief")
    inbox.publish()
    assert inbox.runs[0].raw[0].source == "z.txt"
    assert max(run.size for run in inbox.runs) < taking.RUN_BYTES + 10_000


def test_a_file_written_while_it_is_read_leaves_nothing_of_that_stretch(inbox: Inbox) -> None:
    path = inbox.root / "a.txt"
    path.write_bytes(b"one")
    (look,) = scan(os.fsencode(inbox.root))
    path.write_bytes(b"other")
    feeder = Feeder(os.fsencode(inbox.root), "in", inbox.ledger, LIMITS)
    feeder.add(look)
    run = feeder.fill(TIME)
    assert (run.raw, run.ledger, run.moved) == ([], [], [look])


def test_what_cannot_be_read_is_rejected_once(inbox: Inbox) -> None:
    outside = inbox.root.parent / "secret.txt"
    outside.write_text("secret")
    (inbox.root / "link.txt").symlink_to(outside)
    os.mkfifo(inbox.root / "pipe.txt")
    (inbox.root / "empty.txt").touch()
    assert inbox.publish() == []
    assert sorted(inbox.reasons) == ["empty", "not-regular", "symlink"]
    assert inbox.publish() == []
    assert len(inbox.reasons) == 3


def test_a_folder_swapped_for_a_link_leads_nowhere(inbox: Inbox) -> None:
    (inbox.root / "in").mkdir()
    (inbox.root / "in" / "a.txt").write_text("one")
    (look,) = scan(os.fsencode(inbox.root))
    (inbox.root / "in").rename(inbox.root / "real")
    (inbox.root / "in").symlink_to(inbox.root / "real")
    feeder = Feeder(os.fsencode(inbox.root), "in", inbox.ledger, LIMITS)
    feeder.add(look)
    run = feeder.fill(TIME)
    assert (run.raw, [bad.content for bad in run.rejected]) == ([], [])


def test_one_path_in_two_inboxes_gives_two_ids(inbox: Inbox) -> None:
    (inbox.root / "a.txt").write_bytes(b"one")
    (look,) = scan(os.fsencode(inbox.root))
    ids = set()
    for label in ("reuters", "ap"):
        feeder = Feeder(os.fsencode(inbox.root), label, Ledger(label), LIMITS)
        feeder.add(look)
        ids.add(feeder.fill(TIME).raw[0].id)
    assert len(ids) == 2
