"""A worker whose sink commits its offsets before it sends: what an oracle that is worth its name must find out."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from aiokafka.structs import OffsetAndMetadata

from pipeline import cli
from pipeline.stream import flow
from pipeline.stream.batch import Origin
from pipeline.stream.outcomes import Outcome
from pipeline.stream.sink import Sink, _Lane


class CommitsFirst(Sink):
    """At most once: whatever dies between the two transactions takes its batch along."""

    async def _write(self, lane: _Lane, origin: Origin, written: Sequence[Outcome]) -> None:
        offsets = {origin.tp: OffsetAndMetadata(origin.last_offset + 1, lane.settled.encode())}
        await lane.producer.begin_transaction()
        await lane.producer.send_offsets_to_transaction(offsets, self._settings.group)
        await lane.producer.commit_transaction()
        await super()._write(lane, origin, written)


if __name__ == "__main__":
    flow.Sink = CommitsFirst  # type: ignore[attr-defined]  # on purpose
    sys.exit(cli.main(["worker", *sys.argv[1:]]))
