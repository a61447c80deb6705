"""`make faults N=200 SEED=1`: a long schedule of all faults, until N processes were killed; figures on stdout."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from tests.faults.scene import WORKER, Strike, scene

# How often each fault is drawn. Kills above all; what takes long is rare.
_WEIGHTS = {
    "worker": 10, "workers": 4, "watcher": 6, "broker": 3, "away": 1, "zombie": 1,
    "scale": 0.5, "rebalances": 0.5, "two-watchers": 1,
}  # fmt: skip
_KILLS = {"worker": 1, "workers": 2, "watcher": 1, "broker": 1}
_KILLS_A_SCENE = 25


def schedule(kills: int, seed: int) -> Iterator[Strike]:
    """Seeded strikes until `kills` processes will have been killed, at least one of every kind first."""
    rng = random.Random(seed)
    kinds = rng.sample(list(_WEIGHTS), len(_WEIGHTS))
    while kills > 0:
        kind = kinds.pop() if kinds else rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        kills -= _KILLS.get(kind, 0)
        yield Strike(kind, rng.randrange(200, 700), rng.random() * 0.8)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where nothing was lost, doubled or altered."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("kills", type=int, help="how many processes to kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--broken", action="store_true", help="with a sink that commits offsets before it sends")
    args = parser.parse_args(arguments)
    worker = ("-m", "tests.faults.broken") if args.broken else WORKER
    killed, sound, seed = 0, True, args.seed
    while killed < args.kills:
        begun = time.monotonic()
        strikes = list(schedule(min(_KILLS_A_SCENE, args.kills - killed), seed))
        with (
            tempfile.TemporaryDirectory(prefix="faults") as folder,
            scene(Path(folder), f"f{seed}", seed, worker=worker) as made,
        ):
            verdict = made.run(strikes, lambda line: print(f"  {line}", file=sys.stderr, flush=True))
        print(f"seed {seed}, {time.monotonic() - begun:.0f} s: {verdict}")
        for kind, seconds in sorted(verdict.pauses.items()):
            print(f"    {kind}: flows again after {median(seconds):.1f} s (median), {max(seconds):.1f} s (longest)")
        for fault in [*verdict.lost, *verdict.twice, *verdict.other][:10]:
            print(f"    {fault}")
        sys.stdout.flush()
        killed, seed, sound = killed + verdict.kills, seed + 1, sound and verdict.sound
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
