"""Precision and recall of the duplicate verdicts, edit by edit: `python -m tests.bench.backtest [FOLDER]… [--show]`.

FOLDER holds real bodies, one `.txt` each; without one, seeds and generated articles serve. Each body is claimed once,
then its edited copies in a log of their own, all bodies in one index, so that everything can be mistaken for everything
else. `--show` prints what was judged wrong.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from pipeline.generate import articles
from pipeline.records import Article, RawArticle, Verdict
from pipeline.stages.deduplicate import Index, decode_claims, encode_claims, fingerprint
from tests.bench.edits import COPIES, PARTS, Stock, number_corrected
from tests.bench.series import SERIES

SHORT, LONG = 100, 5_000
_BATCH = 200
_REPORTS = 100
_ROOT = Path(__file__).parents[2]


@dataclass
class Log:
    """A claim log and its index, and the body behind each id."""

    index: Index = field(default_factory=lambda: Index(604_800))
    bodies: list[str] = field(default_factory=list)

    def claim(self, bodies: Iterable[str]) -> list[tuple[Verdict, int | None]]:
        """Verdicts, each with the number of the body that it names."""
        prints = []
        for body in bodies:
            raw = RawArticle(f"{len(self.bodies):032x}", f"{len(self.bodies)}.txt", 0, "text/plain", "", "", b"")
            prints.append(fingerprint(Article(raw, "text", "", False, body, 0)))
            self.bodies.append(body)
        found: list[Verdict] = []
        for at in range(0, len(prints), _BATCH):
            found += self.index.apply(decode_claims(encode_claims(prints[at : at + _BATCH], 1_742_300_000_000)))
        return [(verdict, int(verdict.of, 16) if verdict.of else None) for verdict in found]


@dataclass
class Score:
    """How the copies (or non-copies) of one kind were judged."""

    right: int = 0
    wrong: int = 0
    derived: int = 0
    missed: int = 0

    @property
    def total(self) -> int:
        return self.right + self.wrong + self.derived + self.missed

    def row(self, name: str) -> str:
        shares = [self.right / self.total, self.derived / self.total, self.missed / self.total]
        precision = self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0
        return f"| {name} | {self.total} | {precision:.4f} | " + " | ".join(f"{share:.3f}" for share in shares) + " |"


def bodies_of(folders: Sequence[str]) -> list[str]:
    """Different bodies of `SHORT` to `LONG` words (three signs a word where there are no spaces)."""
    if folders:
        found = [path.read_text("utf-8") for folder in folders for path in sorted(Path(folder).rglob("*.txt"))]
    else:
        found = [str(orjson.loads(made.line)["body"]) for made in articles(500, exact=0, near=0)]
        found += [path.read_text("utf-8", "replace") for path in sorted((_ROOT / "seeds").rglob("*.txt"))]
    return [body for body in dict.fromkeys(found) if SHORT <= max(len(body.split()), _signs(body) // 3) <= LONG]


def _signs(body: str) -> int:
    return sum(sign >= "\u0e00" and sign.isalpha() for sign in body)


def back_test(bodies: list[str], show: bool) -> None:
    """Print the tables."""
    stock = Stock(bodies)
    originals = _unlike(bodies, show)
    total = Score()
    print("| edit | articles | precision | duplicate | derived | neither |\n|---|---|---|---|---|---|")
    for name, edit in (COPIES | PARTS).items():
        dice = random.Random(name)
        score = score_of(originals, [edit(body, dice, stock) for body in originals], show and name)
        if name in COPIES:
            total.right, total.wrong = total.right + score.right, total.wrong + score.wrong
            total.derived, total.missed = total.derived + score.derived, total.missed + score.missed
        print(score.row(name))
    print(total.row("**all of the first eleven**"))
    print("\n| not duplicates | articles | duplicate | derived | neither |\n|---|---|---|---|---|")
    _corrections(originals, show)
    for name, report in SERIES.items():
        dice = random.Random(name)
        _not_duplicates(name, Log().claim(dict.fromkeys(report(dice) for _ in range(_REPORTS))))


def _unlike(bodies: list[str], show: bool) -> list[str]:
    """Bodies that are not duplicates of one before them; what was taken out is said, to be looked at."""
    log = Log()
    verdicts = log.claim(bodies)
    kinds = Counter(verdict.kind for verdict, _ in verdicts)
    print(f"{len(bodies)} bodies among themselves: {dict(kinds)}\n")
    for body, (verdict, of) in zip(bodies, verdicts, strict=True):
        if show and of is not None:
            print(f"{verdict.kind} {verdict.similarity}: {body[:150]!r}\n    {log.bodies[of][:150]!r}")
    return [body for body, (verdict, _) in zip(bodies, verdicts, strict=True) if verdict.kind == "original"]


def score_of(originals: list[str], copies: list[str], show: str | bool) -> Score:
    log, score = Log(), Score()
    log.claim(originals)
    for number, (verdict, of) in enumerate(log.claim(copies)):
        if verdict.kind == "duplicate" and of == number:
            score.right += 1
        elif verdict.kind == "duplicate":
            score.wrong += 1
        elif verdict.kind == "derived" and of == number:
            score.derived += 1
        else:
            score.missed += 1
        if show and (verdict.kind != "duplicate" or of != number):
            other = "" if of is None else log.bodies[of][:60]
            print(f"  {show}: {verdict.kind} {verdict.similarity} {copies[number][:60]!r} {other!r}")
    return score


def _corrections(originals: list[str], show: bool) -> None:
    dice = random.Random("corrections")
    log = Log()
    log.claim(originals)
    corrected = [text for body in originals if (text := number_corrected(body, dice))]
    _not_duplicates("one number corrected", log.claim(corrected))


def _not_duplicates(name: str, verdicts: list[tuple[Verdict, int | None]]) -> None:
    kinds = Counter(verdict.kind for verdict, _ in verdicts)
    shares = [kinds[kind] / max(len(verdicts), 1) for kind in ("duplicate", "derived", "original")]
    print(f"| {name} | {len(verdicts)} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")


if __name__ == "__main__":
    given = [argument for argument in sys.argv[1:] if argument != "--show"]
    back_test(bodies_of(given), "--show" in sys.argv)
