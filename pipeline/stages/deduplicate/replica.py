"""What one worker has made of the claim log, wherever it began to read it. Pure.

A worker that has read the log from its first record judges each record as it comes. One that begins later does not
know what the first records were compared with. But every record settles those before it (`claims`), so this worker
takes the verdicts on the first records from the log, and judges for itself as soon as all that can matter to a record
lies behind the place where it began:

    before the log's beginning │ taken from the log, one window long │ judged, or taken where the log says already
                              cut                              cut + window

So all workers come to the same verdicts, whenever they started. Whoever has judged a record and then reads how
somebody else judged it holds the two against each other.

What must be kept for that: a record that nobody had settled when all workers stopped is judged by the first that
starts again, from the window before it. After another window it does not matter any more. Hence the log is kept for
two windows; `topics.claims_kept_ms` says it exactly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from pipeline.errors import ClaimLogError
from pipeline.stages.deduplicate.claims import Basis, Claims, Settled
from pipeline.stages.deduplicate.index import Index

_RUN = 500
"""Articles judged or entered in one go, where records are smaller: most of what a small record costs is its own."""


class Replica:
    """Reads the log's records in order and says what was decided about each.

    `first` is the offset of the first one that there is, `cut_ms` a moment before which everything was claimed that
    came before it; None: not known.
    """

    def __init__(self, window_seconds: int, first: int = 0, cut_ms: int | None = None) -> None:
        self.index = Index(window_seconds)
        self._first = first
        self._cut_ms = -1 if first == 0 else cut_ms
        self._next = first
        """The offset of the next record to be read."""
        self._queue: deque[tuple[int, Claims]] = deque()
        """Read and not yet in the index: nobody has settled the first of them, and it cannot be judged."""
        self._said: dict[int, Settled] = {}
        """What the log says about records in the queue."""
        self._unsaid: dict[int, Settled] = {}
        """What this worker judged and the log does not say yet."""
        self._live: int | None = None
        """The offset from which on records were not there yet when this worker began."""

    @property
    def basis(self) -> Basis:
        """What a claim made now rests on."""
        now_ms = max([self.index.now_ms, *(claims.claimed_ms for _, claims in self._queue)])
        return Basis(self._next, now_ms, self.index.horizon_ms, tuple(self._unsaid.values()))

    def read(self, records: Sequence[tuple[int, Claims]], more: bool) -> list[Settled]:
        """Read the next records, each with its offset. Returns what was decided, in order of the log.

        `more`: others are there already and will be read next, so that one that nobody has settled yet can wait.
        Raises ClaimLogError where records are missing, where another worker judged otherwise, and where a record
        cannot be judged because too little of the log was kept.
        """
        for offset, claims in records:
            self._open(offset, claims)
            for settled in claims.basis.settled:
                self._hear(settled, offset)
            self._queue.append((offset, claims))
        done: list[Settled] = []
        while self._queue:
            found = self._enter() or self._judge(more)
            if not found and not self._pass_over():
                break
            done += found
        if not more:
            self._refuse_live()
        return done

    def _open(self, offset: int, claims: Claims) -> None:
        if offset != self._next:
            raise ClaimLogError(f"the records from offset {self._next} to {offset - 1} are missing")
        self._next = offset + 1
        basis = claims.basis
        if offset == self._first and basis.offset == offset:
            # Whoever claimed first had read all before it, and says how far log time had come.
            self._cut_ms = basis.now_ms if self._cut_ms is None else self._cut_ms
            self.index.pass_over(basis.now_ms, basis.horizon_ms)

    def _hear(self, said: Settled, offset: int) -> None:
        ours = self._unsaid.pop(said.offset, None) or self._said.get(said.offset)
        if ours is not None and not ours.same(said):
            raise ClaimLogError(
                f"the record at offset {offset} says of the one at {said.offset} what this worker judged otherwise; "
                "workers of different releases must not share a log"
            )
        if said.offset >= self._applied:
            self._said[said.offset] = said

    @property
    def _applied(self) -> int:
        return self._queue[0][0] if self._queue else self._next - 1

    def _enter(self) -> list[Settled]:
        """Take what the log has settled from the front of the queue."""
        run: list[tuple[Settled, Claims]] = []
        room = _RUN
        while self._queue and room > 0 and self._queue[0][0] in self._said:
            offset, claims = self._queue.popleft()
            run.append((self._said.pop(offset), claims))
            room -= len(claims)
        self.index.enter(run)
        if run and self._cut_ms is None:
            self._cut_ms = run[0][0].now_ms
        return [settled for settled, _ in run]

    def _judge(self, more: bool) -> list[Settled]:
        """Judge what nobody has settled, at the front of the queue, as far as this worker knows what matters to it."""
        run: list[tuple[int, Claims]] = []
        room = _RUN
        while not more and self._queue and room > 0 and self._is_known(self._queue[0]):
            run.append(self._queue.popleft())
            room -= len(run[-1][1])
        done = self.index.judge(run)
        self._unsaid.update((settled.offset, settled) for settled in done)
        return done

    def _is_known(self, record: tuple[int, Claims]) -> bool:
        """Whether everything in this record's window was read, and nobody has judged the record."""
        offset, claims = record
        timed = self.index.timed(offset, claims)
        return offset not in self._said and self._cut_ms is not None and timed.horizon_ms > self._cut_ms

    def _pass_over(self) -> bool:
        """Leave out the front of the queue if it has left the window of all that follow, so that nobody will ask."""
        front, last = (self.index.timed(*self._queue[at]) for at in (0, -1))
        if last.horizon_ms <= front.now_ms:
            return False
        self._queue.popleft()
        self.index.pass_over(front.now_ms, front.horizon_ms)
        if self._cut_ms is None:
            self._cut_ms = front.now_ms
        return True

    def _refuse_live(self) -> None:
        """Somebody waits for a verdict on the end of the queue, and none will come."""
        self._live = self._next if self._live is None else self._live
        if self._queue and self._queue[-1][0] >= self._live:
            raise ClaimLogError(
                f"the record at offset {self._queue[0][0]} cannot be judged: nobody did before all workers stopped, "
                "and what it must be compared with is gone. The topic must be kept for two windows and an hour "
                "(retention.ms). To go on, stop all workers and delete the topic; it is made anew, and what came in "
                "before is not compared with what comes after"
            )
