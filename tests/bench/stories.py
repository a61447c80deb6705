"""How right stories are: `python -m tests.bench.stories [--ecb FOLDER] [--wire FILE…] [--show N]`.

`--ecb` is the folder `ECB+` of the ECB+ corpus (Cybulska and Vossen 2014, CC BY 3.0; github tommasoc80/EventStoryLine
has it as files): 982 short reports on 86 events, in pairs of like kind, such as two earthquakes in one country. They
come in random order, all at one moment, and among them the articles of the wire, which must stay out. Printed is
B-cubed precision, recall and F1 (Bagga and Baldwin 1998): for each labelled article, what share of its story is on its
event, and what share of its event is in its story, on average. Thresholds were chosen on the events with odd numbers.

`--wire` takes files of Reuters-21578 (reut2-000.sgm and on), whose articles come at their own times; the largest
stories and the joins that were closest are shown, to be looked at by eye. What stories cost is told by
`tests.bench.bench_index`.
"""

from __future__ import annotations

import argparse
import calendar
import html
import random
import re
import struct
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.records import Article, RawArticle, Verdict, article_id
from pipeline.stages.deduplicate import Fingerprint, Index, decode_claims, encode_claims, fingerprints

_WEEK = 604_800
_SEEDS = 5
_MOMENT_MS = 1_742_300_000_000
_BATCH = 50
_SHOWN = 12


class Labelled(NamedTuple):
    """A text, the event that it is on (empty: not labelled), and when it came, milliseconds."""

    event: str
    headline: str
    body: str
    moment: int = _MOMENT_MS


class Told(NamedTuple):
    """An article of a stream with what became of it."""

    text: Labelled
    print: Fingerprint
    verdict: Verdict

    @property
    def story(self) -> str:
        return self.verdict.story or self.print.id


def ecb(folder: Path) -> list[Labelled]:
    """Each file's event is its topic, and which of the topic's two events the name ends in."""
    found = []
    for path in sorted(folder.glob("*/*.xml")):
        sentences: defaultdict[int, list[str]] = defaultdict(list)
        for token in ElementTree.parse(path).getroot().iter("token"):
            sentences[int(token.get("sentence", "0"))].append(token.text or "")
        lines = [re.sub(r"\s+([.,;:!?%'’])", r"\1", " ".join(words)) for _, words in sorted(sentences.items())]
        lines = lines[lines[0].startswith("http") :]  # an address would tell the headline
        event = f"{path.stem.partition('_')[0]}{'plus' * path.stem.endswith('plus')}"
        found.append(Labelled(event, lines[0], " ".join(lines[1:])))
    return found


def wire(paths: Iterable[Path]) -> list[Labelled]:
    """Articles that have a body, in order of time."""
    every = [found for path in paths for found in _wire(path.read_text(encoding="latin-1"))]
    return sorted(every, key=lambda one: one.moment)


def _wire(text: str) -> Iterator[Labelled]:
    for report in re.findall(r"<REUTERS.*?</REUTERS>", text, re.DOTALL):
        title, body, date = (re.search(rf"<{name}>(.*?)</{name}>", report, re.DOTALL) for name in _FIELDS)
        moment = re.search(r"\d+-[A-Z]{3}-\d{4} \d+:\d+:\d+", date[1]) if date else None
        if title and body and moment:
            seconds = calendar.timegm(time.strptime(moment[0], "%d-%b-%Y %H:%M:%S"))
            clean = re.sub(r"\s*reuter\s*$", "", html.unescape(body[1]).replace("\x03", ""), flags=re.IGNORECASE)
            yield Labelled("", html.unescape(title[1]), clean, seconds * 1000)


_FIELDS = ("TITLE", "BODY", "DATE")


def tell(texts: Sequence[Labelled]) -> list[Told]:
    """Verdicts on texts in the order given, each claimed at its moment."""
    index, found = Index(_WEEK), list[Told]()
    for at in range(0, len(texts), _BATCH):
        some = texts[at : at + _BATCH]
        for text, claim in zip(
            some, fingerprints([_article(at + n, text) for n, text in enumerate(some)]), strict=True
        ):
            verdict = index.apply(decode_claims(encode_claims([claim], text.moment)))[0]
            found.append(Told(text, claim, verdict))
    return found


def _article(number: int, text: Labelled) -> Article:
    source = f"bench/{number}.txt"
    raw = RawArticle(article_id(source, 0, ""), source, 0, "text/plain", "", "", b"")
    return Article(raw, "text", text.headline, False, text.body, len(text.body.split()))


def b_cubed(told: Sequence[Told]) -> tuple[float, float, float]:
    """Precision, recall and F1 over the labelled articles."""
    stories = Counter(one.story for one in told)
    events = Counter(one.text.event for one in told)
    both = Counter((one.story, one.text.event) for one in told)
    labelled = [one for one in told if one.text.event]
    precision = sum(both[one.story, one.text.event] / stories[one.story] for one in labelled) / len(labelled)
    recall = sum(both[one.story, one.text.event] / events[one.text.event] for one in labelled) / len(labelled)
    return precision, recall, 2 * precision * recall / (precision + recall)


def measure(labelled: list[Labelled], noise: list[Labelled]) -> None:
    """Print B-cubed for the events that thresholds were chosen on, for the others, and for all."""
    odd = [text for text in labelled if int(re.findall(r"\d+", text.event)[0]) % 2]
    even = [text for text in labelled if text not in odd]
    print(f"{'events':>12} {'texts':>6} {'precision':>10} {'recall':>7} {'F1':>6}")
    for name, texts in (("chosen on", odd), ("held out", even), ("all", labelled)):
        rows = []
        for seed in range(_SEEDS):
            mixed = texts + [text._replace(moment=_MOMENT_MS) for text in noise]
            random.Random(seed).shuffle(mixed)
            rows.append(b_cubed(tell(mixed)))
        means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
        print(f"{name:>12} {len(texts):>6} {means[0]:>10.3f} {means[1]:>7.3f} {means[2]:>6.3f}", flush=True)


def look(told: list[Told], most: int) -> None:
    """Print the largest stories, and the joins that were closest to not being made."""
    stories: defaultdict[str, list[Told]] = defaultdict(list)
    for one in told:
        stories[one.story].append(one)
    sizes = Counter(min(len(story), 10) for story in stories.values())
    print(f"{len(told):,} articles, {len(stories):,} stories; by size (10: and more) {dict(sorted(sizes.items()))}")
    for story in sorted(stories.values(), key=len, reverse=True)[:most]:
        days = (story[-1].text.moment - story[0].text.moment) / 86_400_000
        print(f"\n{len(story)} articles in {days:.1f} days")
        for one in story[:_SHOWN]:
            print(f"  {one.verdict.kind[:4]} {one.text.headline}")
    joins = [
        (nearness(one, story[:at]), one, story[0])
        for story in stories.values()
        for at, one in enumerate(story)
        if at and one.verdict.kind == "original"
    ]
    print("\nClosest joins")
    for near, one, first in sorted(joins, key=lambda join: join[0])[:most]:
        print(f"\n{near:.3f} {one.text.headline}\n   to: {first.text.headline}")


def nearness(one: Told, others: Sequence[Told]) -> float:
    """Mean cosine to the two nearest of the story so far."""
    found = sorted((_cosine(one.print, other.print) for other in others), reverse=True)[:2]
    return sum(found) / len(found)


def _cosine(left: Fingerprint, right: Fingerprint) -> float:
    ours, theirs = ({t >> 8: t & 255 for t in struct.unpack("<16I", one.terms)} for one in (left, right))
    return float(sum(weight * theirs.get(word, 0) for word, weight in ours.items())) / 255**2


def main() -> None:
    """Print what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ecb", type=Path)
    parser.add_argument("--wire", type=Path, nargs="*", default=[])
    parser.add_argument("--show", type=int, default=20)
    args = parser.parse_args()
    reports = wire(args.wire)
    if args.ecb:
        measure(ecb(args.ecb), reports[:2000])
    if reports:
        look(tell(reports), args.show)


if __name__ == "__main__":
    main()
