"""A short schedule of the faults of `make faults`: nothing lost, nothing twice, nothing altered."""

from __future__ import annotations

from pathlib import Path

from tests.faults.scene import Strike, scene

# The zombie first, while its sessions are young; the broker's death last, when there is most to come back to.
SCHEDULE = [
    Strike("zombie", 150, 0.2),
    Strike("worker", 100, 0.3),
    Strike("watcher", 100, 0.1),
    Strike("two-watchers", 50, 0.5),
    Strike("workers", 150, 0.3),
    Strike("scale", 100, 0.3),
    Strike("rebalances", 100, 0.3),
    Strike("away", 150, 0.3),
    Strike("broker", 150, 0.3),
]


def test_nothing_is_lost_doubled_or_altered_whatever_is_killed(tmp_path: Path) -> None:
    with scene(tmp_path, "short", seed=5) as made:
        verdict = made.run(SCHEDULE)
    assert verdict.sound, f"{verdict}\n{[*verdict.lost, *verdict.twice, *verdict.other][:20]}"
    assert verdict.strikes.total() == len(SCHEDULE)
    assert verdict.kills == 5
