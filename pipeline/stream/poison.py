"""When nearly everything is rejected, the fault is not the articles': stop before all of it lies among the rejected.

Decided on batches, before they are claimed or committed: the one that went too far stays unread for the next worker.
After Arroyo's DLQ limits (a ratio and a run of consecutive messages), with a memory that fades.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.errors import PoisonError

WINDOW_ARTICLES = 10_000
"""The ratio is of at least so many articles, the latest ones: a small folder of bad files is no reason to stop."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the latest articles of one worker, up to twice `WINDOW_ARTICLES`."""

    seen: int = 0
    rejected: int = 0
    run: int = 0
    """Rejected in a row, up to now. A batch with one good article in it ends the row."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """How often each reason was given."""

    def after(self, good: int, reasons: Sequence[str]) -> Tally:
        """With one more batch: `good` articles went on, the others were rejected for these `reasons`."""
        bad = len(reasons)
        counts = dict(Counter(self.reasons) + Counter(reasons))
        grown = Tally(self.seen + good + bad, self.rejected + bad, 0 if good else self.run + bad, counts)
        return grown if grown.seen <= 2 * WINDOW_ARTICLES else grown._faded()

    def _faded(self) -> Tally:
        # Halving forgets the past without keeping it: the latest articles weigh at least as much as those before.
        halves = {reason: count // 2 for reason, count in self.reasons.items() if count > 1}
        return Tally(self.seen // 2, self.rejected // 2, self.run, halves)


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a worker stops."""

    ratio: float
    """Most of the latest articles that may be rejected, 0..1; 1: all of them."""
    run: int
    """Most that may be rejected in a row and one less; 0: any number."""

    def check(self, tally: Tally) -> None:
        """Raises PoisonError where `tally` goes beyond a limit."""
        if self.run and tally.run >= self.run:
            raise PoisonError(f"the last {tally.run} articles were all rejected{_what_to_do(tally, 'reject_run')}")
        if tally.seen >= WINDOW_ARTICLES and tally.rejected > self.ratio * tally.seen:
            share = f"{tally.rejected} of the last {tally.seen} articles were rejected"
            raise PoisonError(share + _what_to_do(tally, "reject_ratio"))


def _what_to_do(tally: Tally, setting: str) -> str:
    reason = max(tally.reasons, key=lambda name: tally.reasons[name], default="unknown")
    flag = "--" + setting.replace("_", "-")
    return (
        f", most of them as {reason}; no more are read until somebody has looked: see `copydesk rejected list`, mend"
        f" the input or raise {flag}, and start again (nothing is lost: `copydesk rejected retry` tries them again)"
    )
