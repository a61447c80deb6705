"""`make faults N=200 SEED=1`: a long schedule of all faults, until N processes were killed; figures on stdout."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from tests.faults.scene import WORKER, Strike, scene
from tests.faults.verdict import Verdict
from tests.faults.whole import whole

# How often each fault is drawn. Kills above all; what takes long is rare.
_WEIGHTS = {
    "worker": 10, "workers": 4, "watcher": 6, "broker": 2, "away": 1, "away-60s": 0.2, "zombie": 1,
    "scale": 0.5, "rebalances": 0.5, "two-watchers": 1,
}  # fmt: skip
_KILLS = {"worker": 1, "workers": 2, "watcher": 1, "broker": 1}
_KILLS_A_SCENE = 25


def schedule(kills: int, seed: int, *, every: bool) -> Iterator[Strike]:
    """Seeded strikes until `kills` processes will have been killed; `every`: at least one of every kind, and first."""
    rng = random.Random(seed)
    kinds = rng.sample(list(_WEIGHTS), len(_WEIGHTS)) if every else []
    while kills > 0:
        kind = kinds.pop() if kinds else rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        kills -= _KILLS.get(kind, 0)
        yield Strike(kind, rng.randrange(200, 800), rng.random() * 0.8)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where nothing was lost, doubled or altered."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("kills", type=int, help="how many processes to kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenes", type=int, default=1, help="how many go on side by side, each with a broker")
    parser.add_argument("--files", type=int, default=0, help="and one scene more: so many small files at once")
    parser.add_argument("--broken", action="store_true", help="with a sink that commits offsets before it sends")
    args = parser.parse_args(arguments)
    worker = ("-m", "tests.faults.broken") if args.broken else WORKER
    shares = [min(_KILLS_A_SCENE, args.kills - begun) for begun in range(0, args.kills, _KILLS_A_SCENE)]
    begun = time.monotonic()
    with ThreadPoolExecutor(args.scenes) as pool:
        scenes = [
            pool.submit(_scene, args.seed + number, share, worker, every=number == 0)
            for number, share in enumerate(shares)
        ]
        if not args.broken:
            scenes.append(pool.submit(_runs, args.seed, max(2, args.kills // 40)))
        if args.files:
            scenes.append(pool.submit(_crowd, args.seed, args.files))
        found = [scene.result() for scene in scenes]
    _sum_up(found, time.monotonic() - begun)
    return 0 if all(verdict.sound for verdict in found) else 1


def _scene(seed: int, kills: int, worker: Sequence[str], *, every: bool) -> Verdict:
    """One broker, one watcher, two workers, and a schedule of all kinds."""

    def say(line: str) -> None:
        print(f"  seed {seed}: {line}", file=sys.stderr, flush=True)

    try:
        with (
            tempfile.TemporaryDirectory(prefix="faults") as folder,
            scene(Path(folder), f"f{seed}", seed, worker=worker) as made,
        ):
            return _told(f"seed {seed}", made.run(list(schedule(kills, seed, every=every)), say))
    except BaseException as error:
        # Said at once: the others go on for a long time yet.
        say(f"came to no end: {error!r}")
        raise


def _runs(seed: int, kills: int) -> Verdict:
    """`copydesk run` with all that it starts, killed over and over."""
    with tempfile.TemporaryDirectory(prefix="faults") as folder, whole(Path(folder), seed) as made:
        made.start()
        for _ in range(kills):
            made.load.burst(200)
            made.until_settled(made.load.number(10, 150))
            made.kill()
            made.start()
        return _told("run", made.finish())


def _crowd(seed: int, files: int) -> Verdict:
    """Very many small files at once; watcher and worker are killed while they are at them."""
    with tempfile.TemporaryDirectory(prefix="faults") as folder, scene(Path(folder), f"c{seed}", seed) as made:
        made.load.crowd(files)
        strikes = [Strike("watcher", 1, 0), Strike("worker", files // 10, 0.9), Strike("watcher", 1, 0)]
        return _told(f"{files} files", made.run(strikes))


def _told(name: str, verdict: Verdict) -> Verdict:
    print(f"{name}: {verdict}")
    for fault in [*verdict.lost, *verdict.twice, *verdict.other][:10]:
        print(f"    {fault}")
    sys.stdout.flush()
    return verdict


def _sum_up(found: Sequence[Verdict], seconds: float) -> None:
    total = Verdict()
    for verdict in found:
        total.add(verdict)
    print(f"in all, {seconds:.0f} s: {total}")
    for kind, pauses in sorted(total.pauses.items()):
        print(f"    {kind}: flows again after {median(pauses):.1f} s (median), {max(pauses):.1f} s (longest)")


if __name__ == "__main__":
    sys.exit(main())
