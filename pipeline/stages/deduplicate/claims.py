"""The bytes of one claim log record: a head and one fixed-size row an article (312 bytes), little-endian."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ClaimLogError
from pipeline.stages.deduplicate.fingerprint import Fingerprint
from pipeline.stages.deduplicate.parameters import BINS, KEYS, PARAMETERS_ID, SPOTS

VERSION = 3
"""Of the record's layout. What its signatures mean is named by `PARAMETERS_ID`."""

MIGRATE = (
    "all workers must run one release. To change releases: stop the watchers, let the old workers finish until "
    "`copydesk status` shows nothing in flight, stop them, delete the claims topic (it is made anew), then start the "
    "new release. What came in before is not compared with what comes after"
)

_HEAD = struct.Struct("<BIqI")  # version, parameters, claimed_ms, number of rows

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
ROW = np.dtype([*_KEPT, ("keys", "<u4", (KEYS,))])
"""A Fingerprint as the log holds it. Every field stands on a multiple of its words."""

KEPT = np.dtype(_KEPT)
"""What the index keeps of a ROW: its table has the keys."""

_MOST, _MOST_WORDS = (1 << 32) - 1, (1 << 16) - 1

Rows = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Claims:
    """One record of the claim log: the articles of a batch in order, claimed at the same moment."""

    claimed_ms: int
    """Milliseconds since the epoch, by the clock of the worker that claimed."""
    rows: Rows
    """Read-only array of ROW."""

    def __len__(self) -> int:
        return len(self.rows)


def encode_claims(fingerprints: Sequence[Fingerprint], claimed_ms: int) -> bytes:
    """The value of a claim log record, 17 bytes and 312 more for each fingerprint, in the order given."""
    rows = np.empty(len(fingerprints), dtype=ROW)
    rows["id"] = np.frombuffer(bytes.fromhex("".join(f.id for f in fingerprints)), dtype="<u8").reshape(-1, 2)
    for name in ("exact", "revision"):
        rows[name] = np.array([getattr(f, name) for f in fingerprints], dtype=np.uint64)
    for name, most in (("shingles", _MOST), ("words", _MOST_WORDS), ("correction", 1)):
        rows[name] = np.array([min(getattr(f, name), most) for f in fingerprints], dtype=np.uint64)
    for name in ("keys", "signature", "figures", "numbers"):
        field, shape = ROW[name].subdtype or (ROW[name], ())
        every = np.frombuffer(b"".join(getattr(f, name) for f in fingerprints), dtype=field)
        rows[name] = every.reshape(-1, *shape)
    return encode_rows(rows, claimed_ms)


def encode_rows(rows: Rows, claimed_ms: int) -> bytes:
    """The value of a claim log record that holds `rows`, an array of ROW."""
    return _HEAD.pack(VERSION, PARAMETERS_ID, claimed_ms, len(rows)) + rows.tobytes()


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
    _, parameters, claimed_ms, count = _HEAD.unpack_from(value)
    if parameters != PARAMETERS_ID:
        raise ClaimLogError(
            f"a claim record was written with de-duplication parameters {parameters:08x}, this release uses "
            f"{PARAMETERS_ID:08x}, and claims of the two cannot be compared; {MIGRATE}"
        )
    expected = _HEAD.size + count * ROW.itemsize
    if len(value) != expected:
        raise ClaimLogError(f"a claim record is torn: {len(value)} bytes, its {count} articles take {expected}")
    return Claims(claimed_ms, np.frombuffer(value, dtype=ROW, offset=_HEAD.size))
