"""What became of each file, worked out from what the topics and the ledger say. Pure.

Every article of a file has exactly one fate, and a file's fate is what its articles' are. `unaccounted` means that the
books hold and yet something is missing: it must never be seen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from aiokafka import ConsumerRecord

from pipeline.clock import rfc3339
from pipeline.inbox.ledger import Known
from pipeline.inbox.scan import Look

Kind = Literal["published", "duplicate", "rejected", "waiting", "unaccounted"]


@dataclass(frozen=True, slots=True)
class Fate:
    """Of one article, or of a file that holds none."""

    kind: Kind
    why: str
    """`at …`, `of …`, `because …`, in words that follow the kind."""
    id: str = ""
    source: str = ""
    position: int = 0

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {"id": self.id, "source": self.source, "position": self.position, "fate": self.kind, "why": self.why}


@dataclass(slots=True)
class Evidence:
    """What was read about one inbox. `take` the topics in order: files, raw, then the outcomes."""

    label: str
    committed: dict[int, int] = field(default_factory=dict)
    """Of each raw partition the next offset that the workers will read; to be set between raw and the outcomes."""
    cut: set[str] = field(default_factory=set)
    """Names of topics whose beginning has left with their retention."""
    _known: dict[str, tuple[Known, str]] = field(default_factory=dict)
    _raw: defaultdict[str, dict[str, tuple[str, int, int, int]]] = field(default_factory=lambda: defaultdict(dict))
    _outcomes: dict[str, tuple[Kind, str, int]] = field(default_factory=dict)
    _set_aside: defaultdict[str, list[tuple[str, int, str]]] = field(default_factory=lambda: defaultdict(list))

    def take(self, name: str, record: ConsumerRecord, json: Any) -> None:
        """Take in one record of topic `name`; `json` is its value, where that is JSON of ours."""
        headers = {key: (value or b"").decode("utf-8", "replace") for key, value in record.headers}
        key = (record.key or b"").decode("utf-8", "replace")
        if name == "files":
            self._take_ledger(key, record.value, json)
        elif name == "raw":
            if headers.get("inbox") == self.label:
                source = headers.get("source", "")
                place = (source, int(headers.get("position", "0")), record.partition, record.offset)
                self._raw[_file(source)][key] = place  # a retry is read later, or never settles the first
        elif headers.get("stage") == "watch":
            why = f"because {headers.get('error', '')} ({headers.get('reason', '')})"
            self._set_aside[_file(headers.get("source", ""))].append((headers["source"], int(headers["position"]), why))
        else:
            self._take_outcome(name, key, record, headers, json)

    def _take_ledger(self, key: str, value: bytes | None, json: Any) -> None:
        label, slash, source = key.partition("/")
        if slash and label == self.label and value is not None:
            self._known[source] = (Known.from_json(value), str(json.get("time", "")))

    def _take_outcome(self, name: str, key: str, record: ConsumerRecord, headers: dict[str, str], json: Any) -> None:
        attempts = int(headers.get("attempts", "1"))
        if key in self._outcomes and self._outcomes[key][2] >= attempts:
            return
        where = f"partition {record.partition} offset {record.offset}"
        if name == "enriched":
            found: tuple[Kind, str] = (
                "published",
                f"at {rfc3339(datetime.fromtimestamp(record.timestamp / 1000, UTC))}, {where}",
            )
        elif name == "duplicates":
            found = ("duplicate", f"of {json['x_copydesk']['duplicate']['of']}, {where}")
        else:
            found = ("rejected", f"because {headers.get('error', '')} ({headers.get('reason', '')})")
        self._outcomes[key] = (*found, attempts)

    def file(self, source: str, look: Look, readable: bool) -> list[Fate]:
        """The fates of a file's articles, by position. `readable`: its name is one of a format that we read."""
        known, time = self._known.get(source, (None, ""))
        waits = _waits(look, known, readable)
        if waits or known is None:
            return [Fate("waiting", f"because {waits}", source=source)]
        fates = [Fate("rejected", why, source=member, position=at) for member, at, why in self._set_aside[source]]
        fates += [self._article(key, *place) for key, place in self._raw[source].items()]
        missing = known.published - len(self._raw[source])
        if missing > 0 and "raw" in self.cut:
            fates.append(
                Fate("published", f"by {time}; {missing} articles have left articles.raw since", source=source)
            )
        elif missing > 0:
            fates.append(Fate("unaccounted", f"{missing} articles are in the ledger and nowhere else", source=source))
        if not fates and known.rejected and "rejected" not in self.cut:
            fates.append(Fate("unaccounted", "it was rejected and there is no record of it", source=source))
        return sorted(fates, key=lambda fate: fate.position) or [Fate(_quiet(known), f"at {time}", source=source)]

    def _article(self, key: str, source: str, position: int, partition: int, offset: int) -> Fate:
        outcome = self._outcomes.get(key)
        if outcome:
            return Fate(outcome[0], outcome[1], key, source, position)
        if offset >= self.committed.get(partition, 0):
            return Fate("waiting", "because no worker has settled it yet", key, source, position)
        if self.cut & {"enriched", "duplicates", "rejected"}:
            return Fate("published", "and gone since with its topic's retention", key, source, position)
        why = f"the workers passed partition {partition} offset {offset}, and nothing came out"
        return Fate("unaccounted", why, key, source, position)


def _file(source: str) -> str:
    return source.partition("!/")[0]


def _quiet(known: Known) -> Kind:
    # An empty feed holds no article, so there is nothing to show.
    return "rejected" if known.state == "rejected" else "published"


def _waits(look: Look, known: Known | None, readable: bool) -> str:
    """Why the watcher has more to do with this file; empty: it has not."""
    if look.kind == "hidden":
        return "its name says that it is hidden or not finished"
    if look.kind == "unreadable":
        return "it cannot be read; give this user the right to read it"
    if look.kind == "file" and not readable:
        return "its name is of no format that we read; see `copydesk formats`"
    if known is None:
        return "no watcher has published it yet"
    if known.state == "publishing":
        return f"{known.published} articles of it are published and there are more"
    return "" if known.settled(look) else "it was changed since it was published"


def totals(fates: Iterable[Fate]) -> dict[str, int]:
    """How many of each kind."""
    return dict(Counter(fate.kind for fate in fates))
