"""The ledger as bytes, as memory, and what follows from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.inbox.ledger import Known, Ledger, Plan, State, plan
from pipeline.inbox.scan import Look

KNOWN = Known(bytes(range(32)), 500, 500, 2**60, 2**60 + 1, 123, 4, 1, 2, "published")
TIME = "2025-03-18T09:00:00.000Z"


@pytest.mark.parametrize("state", ["publishing", "published", "rejected"])
def test_what_is_known_survives_packing_and_the_topic(state: State) -> None:
    known = replace(KNOWN, state=state)
    assert Known.unpack(known.pack()) == known
    assert Known.from_json(known.to_json(TIME)) == known


def test_any_path_finds_its_record_again() -> None:
    written, read = Ledger("in"), Ledger("in")
    for path in (b"a.txt", b"deep/b c.json", b"caf\xe9/%41.txt"):
        read.apply(written.key(path), KNOWN.to_json(TIME))
        assert read.get(path) == KNOWN
    assert len(read) == 3


def test_other_inboxes_and_owners_are_told_apart() -> None:
    ledger = Ledger("in")
    ledger.apply(b"in2/a.txt", KNOWN.to_json(TIME))
    ledger.apply(b"in2", b"somebody")
    ledger.apply(ledger.owner_key, b"me")
    assert (len(ledger), ledger.owner) == (0, "me")


def test_a_tombstone_forgets() -> None:
    ledger = Ledger("in")
    ledger.put(b"a", KNOWN)
    ledger.apply(ledger.key(b"a"), None)
    assert ledger.get(b"a") is None


@pytest.mark.parametrize(
    ("look", "settled"),
    [
        (Look(b"a", "file", 500, 2**60, 2**60 + 1, 9), True),
        (Look(b"a", "file", 501, 2**60, 2**60 + 1, 9), False),
        (Look(b"a", "file", 500, 2**60 + 1, 2**60 + 1, 9), False),
        (Look(b"a", "file", 500, 2**60, 2**60 + 2, 9), False),
    ],
    ids=["same", "size", "written", "rights changed or replaced"],
)
def test_a_touched_file_is_looked_into(look: Look, settled: bool) -> None:
    assert KNOWN.settled(look) is settled
    assert not replace(KNOWN, state="publishing").settled(look)


@pytest.mark.parametrize(
    ("known", "size", "same_prefix", "appendable", "expected"),
    [
        (None, 500, True, True, Plan.START),
        (KNOWN, 500, True, True, Plan.NOTE),
        (KNOWN, 500, True, False, Plan.NOTE),
        (KNOWN, 900, True, True, Plan.GO_ON),
        (KNOWN, 900, True, False, Plan.REPLACE),
        (KNOWN, 900, False, True, Plan.REPLACE),
        (KNOWN, 500, False, False, Plan.REPLACE),
        (replace(KNOWN, state="publishing"), 500, True, False, Plan.GO_ON),
        (replace(KNOWN, state="publishing", size=900), 900, True, True, Plan.GO_ON),
        (replace(KNOWN, state="publishing", position=0, published=0), 500, True, True, Plan.START),
        (replace(KNOWN, state="rejected"), 500, True, False, Plan.NOTE),
        (replace(KNOWN, state="rejected", published=0), 500, False, False, Plan.START),
        (replace(KNOWN, state="rejected", hashed=0, position=0, published=0), 500, True, False, Plan.START),
    ],
    ids=[
        "new", "same lines", "same text", "lines grew", "text grew", "lines replaced", "text replaced", "list cut off",
        "lines cut off", "nothing out yet", "bad and unchanged", "bad, then mended", "was unreadable",
    ],
)  # fmt: skip
def test_what_to_do(known: Known | None, size: int, same_prefix: bool, appendable: bool, expected: Plan) -> None:
    assert plan(known, size, same_prefix, appendable) is expected
