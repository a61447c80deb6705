"""What a scene came to, and how it is judged: by the topics, the files and the claim log."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from tests import oracle, replay
from tests.expected import Files
from tests.rig import Rig

# Scenes may go on side by side; the pure stages that are run once more are for one thread at a time.
_one_at_a_time = threading.Lock()


@dataclass
class Verdict:
    """What a scene came to."""

    strikes: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    """SIGKILLs."""
    restarts: int = 0
    """Processes that ended by themselves, with a clear word, and were started again as `run` does."""
    wild: int = 0
    """Processes that ran with a clock that jumps."""
    pauses: dict[str, list[float]] = field(default_factory=dict)
    """Seconds from each strike to the next article that came out, by kind."""
    articles: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not (self.lost or self.twice or self.other)

    def add(self, other: Verdict) -> None:
        """Take in what another scene came to."""
        self.strikes += other.strikes
        self.outcomes += other.outcomes
        self.kills, self.restarts = self.kills + other.kills, self.restarts + other.restarts
        self.wild, self.articles = self.wild + other.wild, self.articles + other.articles
        self.lost, self.twice = self.lost + other.lost, self.twice + other.twice
        self.other += other.other
        for kind, pauses in other.pauses.items():
            self.pauses.setdefault(kind, []).extend(pauses)

    def __str__(self) -> str:
        struck = ", ".join(f"{number} {kind}" for kind, number in sorted(self.strikes.items()))
        return (
            f"{struck}; {self.kills} SIGKILLs, {self.restarts} restarts, {self.wild} wild clocks; {self.articles}"
            f" articles ({', '.join(f'{number} {name}' for name, number in self.outcomes.items())}):"
            f" {len(self.lost)} lost, {len(self.twice)} twice, {len(self.other)} altered"
        )


def judge(verdict: Verdict, rig: Rig, files: Files) -> Verdict:
    """Read everything from the beginning and write into `verdict` what is wrong with it."""
    topics = rig.topics()
    verdict.articles = len(topics.raw)
    verdict.outcomes = Counter({name: len(topics.records[name]) for name in oracle.OUTCOMES})
    faults = topics.faults()
    verdict.lost = [fault for fault in faults if fault.endswith("lost")]
    verdict.twice = [fault for fault in faults if fault.endswith("times")]
    verdict.other = [fault for fault in faults if fault not in verdict.lost and fault not in verdict.twice]
    verdict.other += files.faults(topics.records["raw"], topics.records["rejected"])
    claims = oracle.read_claims(rig.settings.broker, rig.settings.prefix)
    with _one_at_a_time:
        verdict.other += replay.faults(topics, claims, rig.settings.window_seconds)
    hanging = oracle.hanging(rig.settings.broker, rig.settings.prefix)
    verdict.other += [f"{topic}: {records} records held up" for topic, records in hanging.items()]
    return verdict
