from __future__ import annotations

import pytest

from pipeline.errors import ClaimLogError
from pipeline.stages.deduplicate import Fingerprint, decode_claims, encode_claims
from pipeline.stages.deduplicate.parameters import PARAMETERS_ID

ONE = Fingerprint(
    "ab" * 16, exact=1, revision=2, keys=bytes(64), signature=bytes(range(128)), figures=bytes(64), shingles=3, words=4
)


def test_a_record_is_small_and_says_how_many() -> None:
    value = encode_claims([ONE, ONE], 1_742_300_000_000)
    assert len(value) == 64 + 2 * 376
    claims = decode_claims(value)
    assert (len(claims), claims.claimed_ms) == (2, 1_742_300_000_000)


def test_an_empty_record_is_refused() -> None:
    with pytest.raises(ClaimLogError, match="empty"):
        decode_claims(b"")


def test_another_version_is_named() -> None:
    with pytest.raises(ClaimLogError, match="version 9, this release reads version 5"):
        decode_claims(b"\x09" + encode_claims([ONE], 0)[1:])


def test_other_parameters_are_named() -> None:
    with pytest.raises(ClaimLogError, match=f"parameters 00000007, this release uses {PARAMETERS_ID:08x}"):
        decode_claims(b"\x05\0\0\0\x07\0\0\0" + encode_claims([ONE], 0)[8:])


def test_the_lengths_of_a_torn_record_are_named() -> None:
    with pytest.raises(ClaimLogError, match="torn: 439 bytes, its 1 articles take 440"):
        decode_claims(encode_claims([ONE], 0)[:-1])
    with pytest.raises(ClaimLogError, match="torn: 3 bytes, its head alone has 64"):
        decode_claims(encode_claims([ONE], 0)[:3])
