"""How far each file has been published: the compacted topic `articles.files`, in memory and as bytes.

Key: `LABEL/SOURCE`, the inbox's label and the percent-encoded inbox-relative path, so that two inboxes may hold the
same path; `LABEL` alone names the watcher that owns the inbox. The label is part of the article id for the same reason.
Value: JSON, see `Known.to_json`. A record is written in the transaction that publishes what it speaks of.

`position` is the next byte (JSON Lines) or entry to read, never the last one read. `sha256` is that of the file's
first `hashed` bytes as they lie on disk: all of them once the file is done; while it is `publishing`, somewhat
more than was published, which is enough to know the file again.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from typing import Literal
from urllib.parse import unquote_to_bytes

import orjson

from pipeline.inbox.scan import Look
from pipeline.records import source_name

State = Literal["publishing", "published", "rejected"]
_STATES: tuple[State, ...] = ("publishing", "published", "rejected")
# One bytes object per file instead of ten: 150 bytes where a tuple of ints takes 500.
_PACKED = struct.Struct("<32sqqqqqqqqb")


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says about one file."""

    sha256: bytes = b"\0" * 32
    hashed: int = 0
    size: int = 0
    mtime_ns: int = 0
    ctime_ns: int = 0
    position: int = 0
    published: int = 0
    """Articles published under this path so far, over all versions."""
    rejected: int = 0
    """Records rejected by `watch` under this path so far, over all versions."""
    version: int = 0
    """How often published content was replaced."""
    state: State = "publishing"

    def pack(self) -> bytes:
        """As kept in memory."""
        counts = (self.position, self.published, self.rejected, self.version)
        times = (self.hashed, self.size, self.mtime_ns, self.ctime_ns)
        return _PACKED.pack(self.sha256, *times, *counts, _STATES.index(self.state))

    @classmethod
    def unpack(cls, packed: bytes) -> Known:
        """The inverse of `pack`."""
        sha256, hashed, size, mtime_ns, ctime_ns, position, published, rejected, version, state = _PACKED.unpack(packed)
        times = (hashed, size, mtime_ns, ctime_ns)
        return cls(sha256, *times, position, published, rejected, version, _STATES[state])

    def to_json(self, time: str) -> bytes:
        """As written to the topic; `time` is RFC 3339."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return orjson.dumps(fields | {"sha256": self.sha256.hex(), "time": time})

    @classmethod
    def from_json(cls, value: bytes) -> Known:
        """The inverse of `to_json`. Raises ValueError, KeyError or TypeError on a foreign record."""
        found = orjson.loads(value)
        fields = {name: found[name] for name in cls.__slots__}
        return cls(**(fields | {"sha256": bytes.fromhex(found["sha256"])}))

    def settled(self, look: Look) -> bool:
        """Whether the file is done and has not been touched since."""
        touched = (look.size, look.mtime_ns, look.ctime_ns) != (self.size, self.mtime_ns, self.ctime_ns)
        return not touched and self.state != "publishing"


class Ledger:
    """The ledger of one inbox in memory: about 300 bytes a file."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._files: dict[bytes, bytes] = {}
        self.owner = ""
        """The watcher that took this inbox last."""

    def __len__(self) -> int:
        return len(self._files)

    def key(self, path: bytes) -> bytes:
        """The record key of the file at `path`."""
        return f"{self._label}/{source_name(path)}".encode()

    @property
    def owner_key(self) -> bytes:
        """The record key under which the owner writes its name."""
        return self._label.encode()

    def get(self, path: bytes) -> Known | None:
        """What is known about the file at `path`."""
        packed = self._files.get(path)
        return None if packed is None else Known.unpack(packed)

    def put(self, path: bytes, known: Known) -> None:
        """Remember what was committed."""
        self._files[path] = known.pack()

    def settled(self, look: Look) -> bool:
        """Whether nothing needs doing for the file of `look`."""
        known = self.get(look.path)
        return known is not None and known.settled(look)

    def apply(self, key: bytes, value: bytes | None) -> None:
        """Take in one record of the topic; those of other inboxes are passed over."""
        label, slash, source = key.decode().partition("/")
        if label != self._label:
            return
        if not slash:
            self.owner = (value or b"").decode()
        elif value is None:
            self._files.pop(unquote_to_bytes(source), None)
        else:
            self.put(unquote_to_bytes(source), Known.from_json(value))


class Plan(Enum):
    """What to do with a file that is ready."""

    START = "publish from its beginning"
    GO_ON = "publish from the ledger's position, same version"
    REPLACE = "publish from its beginning as the next version"
    NOTE = "same content: only note the new times"


def plan(known: Known | None, size: int, same_prefix: bool, appendable: bool) -> Plan:
    """Decide from the ledger, the file's present size, and whether its first `known.hashed` bytes are the same.

    `appendable`: a format where more bytes at the end mean more articles and leave the earlier ones alone.
    """
    if known is None:
        return Plan.START
    unchanged = same_prefix and size == known.size
    # A file rejected before a byte of it was read (`hashed` 0) may have become readable: reading it again decides.
    if unchanged and known.state != "publishing" and (known.hashed or not size):
        return Plan.NOTE
    if same_prefix and known.position and (appendable or unchanged):
        return Plan.GO_ON
    return Plan.REPLACE if known.published else Plan.START
