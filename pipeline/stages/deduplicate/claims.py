"""The bytes of one claim log record, little-endian: a head, a row an article, and what was decided before it.

A record carries the verdicts on those records before it whose verdicts the log did not hold yet. So the log can be
read from anywhere: whoever starts in the middle takes the verdicts on the first records from those that follow, and
need not know what those were compared with. See `replica`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ClaimLogError
from pipeline.stages.deduplicate.decisions import DECISION, Decisions
from pipeline.stages.deduplicate.fingerprint import Fingerprint
from pipeline.stages.deduplicate.parameters import BINS, KEYS, PARAMETERS_ID, SPOTS, TERMS

VERSION = 5
"""Of the record's layout. What its signatures mean is named by `PARAMETERS_ID`."""

MIGRATE = (
    "all workers must run one release. To change releases: stop the watchers, let the old workers finish until "
    "`copydesk status` shows nothing in flight, stop them, delete the claims topic (it is made anew), then start the "
    "new release. What came in before is not compared with what comes after"
)

# version, parameters, claimed_ms, window_s, rows; of the basis: offset, now_ms, horizon_ms, records settled, decisions;
# story window_s
_HEAD = struct.Struct("<BxxxIqIIqqqIIIxxxx")

_KEPT = [
    ("id", "<u8", (2,)),
    ("exact", "<u8"),
    ("revision", "<u8"),
    ("signature", "<u8", (BINS // 16,)),
    ("figures", "<u2", (2, SPOTS)),
    ("numbers", "<u8", (2,)),
    ("shingles", "<u4"),
    ("words", "<u2"),
    ("correction", "<u2"),
]
ROW = np.dtype([*_KEPT, ("keys", "<u4", (KEYS,)), ("terms", "<u4", (TERMS,))])
"""A Fingerprint as the log holds it. Every field stands on a multiple of its words."""

KEPT = np.dtype(_KEPT)
"""What the index keeps of a ROW: its table has the keys, `Stories` the terms."""

_SETTLED = struct.Struct("<qqqII")  # offset, now_ms, horizon_ms, rows, decisions
_MOST, _MOST_WORDS = (1 << 32) - 1, (1 << 16) - 1

Rows = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Settled:
    """What was decided about one record of the log."""

    offset: int
    """Of that record."""
    now_ms: int
    """Log time when it was judged, milliseconds since the epoch: it never goes back, whatever the clocks do."""
    horizon_ms: int
    """What was claimed before this log time was out of the window."""
    count: int
    """Articles in that record."""
    decisions: Decisions
    """On those that are no plain originals, or belong to a story that another one began."""

    def same(self, other: Settled) -> bool:
        """Whether both decided alike."""
        ours = (self.offset, self.now_ms, self.horizon_ms, self.count, self.decisions.tobytes())
        return ours == (other.offset, other.now_ms, other.horizon_ms, other.count, other.decisions.tobytes())


@dataclass(frozen=True, slots=True)
class Basis:
    """What a worker had made of the log when it claimed."""

    offset: int = 0
    """The next one that it would have read."""
    now_ms: int = 0
    """Log time before that."""
    horizon_ms: int = 0
    """Whatever nobody had settled in the log by then needs nothing from before this log time."""
    settled: tuple[Settled, ...] = ()
    """What it had decided about, and had not seen in the log."""


@dataclass(frozen=True, slots=True)
class Claims:
    """One record of the claim log: the articles of a batch in order, claimed at the same moment."""

    claimed_ms: int
    """Milliseconds since the epoch, by the clock of the worker that claimed."""
    rows: Rows
    """Read-only array of ROW."""
    window_ms: int = 0
    """How long before it an article counts; 0: as long as whoever judges says."""
    basis: Basis = field(default_factory=Basis)
    story_window_ms: int = 0
    """How long before it a story's last article may be; 0: as long as whoever judges says."""

    def __len__(self) -> int:
        return len(self.rows)


def encode_claims(
    fingerprints: Sequence[Fingerprint],
    claimed_ms: int,
    window_seconds: int = 0,
    basis: Basis | None = None,
    story_window_seconds: int = 0,
) -> bytes:
    """The value of a claim log record: 64 bytes, 376 for each fingerprint in the order given, and `basis`.

    Claims that never see a log, and are judged by one index alone, need neither windows nor basis.
    """
    rows = np.empty(len(fingerprints), dtype=ROW)
    rows["id"] = np.frombuffer(bytes.fromhex("".join(f.id for f in fingerprints)), dtype="<u8").reshape(-1, 2)
    for name in ("exact", "revision"):
        rows[name] = np.array([getattr(f, name) for f in fingerprints], dtype=np.uint64)
    for name, most in (("shingles", _MOST), ("words", _MOST_WORDS), ("correction", 1)):
        rows[name] = np.array([min(getattr(f, name), most) for f in fingerprints], dtype=np.uint64)
    for name in ("keys", "signature", "figures", "numbers", "terms"):
        field, shape = ROW[name].subdtype or (ROW[name], ())
        every = np.frombuffer(b"".join(getattr(f, name) for f in fingerprints), dtype=field)
        rows[name] = every.reshape(-1, *shape)
    return encode_rows(rows, claimed_ms, window_seconds, basis, story_window_seconds)


def encode_rows(
    rows: Rows,
    claimed_ms: int,
    window_seconds: int = 0,
    basis: Basis | None = None,
    story_window_seconds: int = 0,
) -> bytes:
    """The value of a claim log record that holds `rows`, an array of ROW."""
    basis = basis or Basis()
    settled = [_SETTLED.pack(s.offset, s.now_ms, s.horizon_ms, s.count, len(s.decisions)) for s in basis.settled]
    decisions = [s.decisions.tobytes() for s in basis.settled]
    head = _HEAD.pack(
        VERSION, PARAMETERS_ID, claimed_ms, window_seconds, len(rows),
        basis.offset, basis.now_ms, basis.horizon_ms, len(settled), sum(len(s.decisions) for s in basis.settled),
        story_window_seconds,
    )  # fmt: skip
    return b"".join([head, rows.tobytes(), *settled, *decisions])


def decode_claims(value: bytes) -> Claims:
    """The inverse of `encode_claims`, without copying. The caller knows the record's offset and adds it.

    Raises ClaimLogError for a record of another version or other parameters, or of another length than it says.
    """
    if not value:
        raise ClaimLogError("a claim record is empty; the log was written by something else than Copydesk")
    if value[0] != VERSION:
        raise ClaimLogError(f"a claim record has version {value[0]}, this release reads version {VERSION}; {MIGRATE}")
    if len(value) < _HEAD.size:
        raise ClaimLogError(f"a claim record is torn: {len(value)} bytes, its head alone has {_HEAD.size}")
    head = _HEAD.unpack_from(value)
    _, parameters, claimed_ms, window, count, offset, now_ms, horizon_ms, settled, decided, story_window = head
    if parameters != PARAMETERS_ID:
        raise ClaimLogError(
            f"a claim record was written with de-duplication parameters {parameters:08x}, this release uses "
            f"{PARAMETERS_ID:08x}, and claims of the two cannot be compared; {MIGRATE}"
        )
    tail = _HEAD.size + count * ROW.itemsize
    expected = tail + settled * _SETTLED.size + decided * DECISION.itemsize
    if len(value) != expected:
        raise ClaimLogError(f"a claim record is torn: {len(value)} bytes, its {count} articles take {expected}")
    rows = np.frombuffer(value, dtype=ROW, count=count, offset=_HEAD.size)
    basis = Basis(offset, now_ms, horizon_ms, _settled(value, tail, settled, decided))
    return Claims(claimed_ms, rows, window * 1000, basis, story_window * 1000)


def _settled(value: bytes, at: int, count: int, decided: int) -> tuple[Settled, ...]:
    heads = [_SETTLED.unpack_from(value, at + place * _SETTLED.size) for place in range(count)]
    every = np.frombuffer(value, dtype=DECISION, count=decided, offset=at + count * _SETTLED.size)
    ends = np.cumsum([0, *(head[-1] for head in heads)]).tolist()
    if ends[-1] != decided:
        raise ClaimLogError(f"a claim record is torn: it holds {decided} decisions, and counts {ends[-1]}")
    return tuple(
        Settled(offset, now_ms, horizon_ms, rows, every[a:b])
        for (offset, now_ms, horizon_ms, rows, _), (a, b) in zip(heads, pairwise(ends), strict=True)
    )
