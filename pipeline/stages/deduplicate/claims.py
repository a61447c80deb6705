"""The bytes of one claim log record: a head and one fixed-size row an article (176 bytes), little-endian."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ClaimLogError
from pipeline.stages.deduplicate.fingerprint import Fingerprint
from pipeline.stages.deduplicate.parameters import BANDS, PARAMETERS_ID

VERSION = 1
"""Of the record's layout. What its signatures mean is named by `PARAMETERS_ID`."""

_HEAD = struct.Struct("<BIqI")  # version, parameters, claimed_ms, number of rows

ROW = np.dtype(
    [
        ("id", "<u8", (2,)),
        ("exact", "<u8"),
        ("revision", "<u8"),
        ("figures", "<u8"),
        ("tokens", "<u8"),
        ("signature", "<u4", (BANDS,)),
    ]
)
"""A Fingerprint as the log and the index hold it. Every field stands on a multiple of eight bytes."""

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
    """The value of a claim log record, 17 bytes and 176 more for each fingerprint, in the order given."""
    rows = np.empty(len(fingerprints), dtype=ROW)
    rows["id"] = np.frombuffer(bytes.fromhex("".join(f.id for f in fingerprints)), dtype="<u8").reshape(-1, 2)
    for name in ("exact", "revision", "figures", "tokens"):
        rows[name] = np.array([getattr(f, name) for f in fingerprints], dtype=np.uint64)
    signatures = np.frombuffer(b"".join(f.signature for f in fingerprints), dtype="<u4")
    rows["signature"] = signatures.reshape(-1, BANDS)
    return _HEAD.pack(VERSION, PARAMETERS_ID, claimed_ms, len(rows)) + rows.tobytes()


def decode_claims(value: bytes) -> Claims:
    """The inverse of `encode_claims`, without copying. The caller knows the record's offset and adds it.

    Raises ClaimLogError for a record of another version or other parameters, or of another length than it says.
    """
    if not value:
        raise ClaimLogError("a claim record is empty; the log was written by something else than Copydesk")
    if value[0] != VERSION:
        raise ClaimLogError(
            f"a claim record has version {value[0]}, this release reads version {VERSION}; "
            "let all workers run one release, or start a new claims topic"
        )
    if len(value) < _HEAD.size:
        raise ClaimLogError(f"a claim record is torn: {len(value)} bytes, its head alone has {_HEAD.size}")
    _, parameters, claimed_ms, count = _HEAD.unpack_from(value)
    if parameters != PARAMETERS_ID:
        raise ClaimLogError(
            f"a claim record was written with de-duplication parameters {parameters:08x}, this release uses "
            f"{PARAMETERS_ID:08x}; signatures of the two cannot be compared: let the old release empty its queue, "
            "then start this one on a new claims topic"
        )
    expected = _HEAD.size + count * ROW.itemsize
    if len(value) != expected:
        raise ClaimLogError(f"a claim record is torn: {len(value)} bytes, its {count} articles take {expected}")
    return Claims(claimed_ms, np.frombuffer(value, dtype=ROW, offset=_HEAD.size))
