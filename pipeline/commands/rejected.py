"""`copydesk rejected list|show|retry`: the dead letters, and their way back into the stream."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from itertools import islice

from pipeline.clock import SystemClock, rfc3339
from pipeline.commands import count, show, until_closed, with_broker
from pipeline.commands.scanning import scan
from pipeline.errors import UserError, rejection_reasons
from pipeline.monitor.cards import card
from pipeline.monitor.looks import Look, json_line
from pipeline.monitor.printable import printable
from pipeline.records import RawArticle
from pipeline.settings import Settings
from pipeline.stream.retry import Answer, Letter, Marks, Retrier, answers, as_json, latest
from pipeline.topics import topic_name

_EXAMPLES = """examples:
  copydesk rejected list --reason parse     what was rejected and is not settled since, one line each
  copydesk rejected show 3f2c…              one of them whole, by the beginning of its id or by its source
  copydesk rejected retry --reason unexpected
                                            once the fault is mended: the same bytes under the same id, once more"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `rejected` takes."""
    parser.description = "The dead letters: list them, show one, put them into the stream again."
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"{parser.epilog}\n\n{_EXAMPLES}"
    parser.add_argument("action", choices=("list", "show", "retry"), help="what to do")
    parser.add_argument("id", nargs="*", metavar="ID", help="an id, the beginning of one, or a source")
    parser.add_argument(
        "--reason", choices=rejection_reasons(), metavar="REASON", help="only those rejected for this reason"
    )
    parser.add_argument("--stage", help="only those of this stage")
    parser.add_argument("--source", metavar="PATTERN", help="only those whose source is like this, e.g. 'wire/*.html'")
    parser.add_argument("--all", action="store_true", help="list: those that were retried, too; retry: whatever can be")
    parser.add_argument("--dry-run", action="store_true", help="retry: say what would be done and do nothing")
    parser.add_argument("--limit", type=count, metavar="N", help="at most so many")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Do what is asked; 0, or 1 where nothing is there. Raises UserError where there is no broker or no topic."""
    if args.action == "retry" and not (args.id or args.reason or args.stage or args.source or args.all):
        raise UserError("rejected retry: say which ones: an ID, --reason, --stage, --source, or --all for all of them")
    if args.action == "show" and not args.id:
        raise UserError("rejected show: say which one: its id as `copydesk rejected list` shows it, or its source")
    act = {"list": _list, "show": _show, "retry": _retry}[args.action]
    return until_closed(lambda: asyncio.run(act(with_broker(settings), args)))


async def _read(settings: Settings, args: argparse.Namespace) -> tuple[list[Letter], Marks]:
    """The letters that are asked for, oldest first, and what was retried. Bytes of the others are not kept."""
    wanted, marks, found = _filter(args), Marks(), list[Letter]()
    async for name, record in scan(settings, SystemClock(), "rejected", "files"):
        if name == "files":
            marks.apply(record.key, record.value)
        elif wanted(letter := Letter.of(record)):
            found.append(letter)
    return sorted(found, key=lambda letter: letter.timestamp_ms), marks


def _filter(args: argparse.Namespace) -> Callable[[Letter], bool]:
    def wanted(letter: Letter) -> bool:
        source = letter.header("source")
        return (
            (not args.id or any(letter.key.startswith(one) or source == one for one in args.id))
            and args.reason in (None, letter.header("reason"))
            and args.stage in (None, letter.header("stage"))
            and (args.source is None or fnmatchcase(source, args.source))
        )

    return wanted


async def _list(settings: Settings, args: argparse.Namespace) -> int:
    letters, marks = await _read(settings, args)
    shown = [letter for letter in letters if args.all or marks.is_open(letter)]
    for letter in islice(shown, args.limit):
        if args.json:
            print(json.dumps(_as_object(letter, marks)))
        else:
            print(_line(letter, marks))
    if not args.json:
        reasons = Counter(letter.header("reason") for letter in shown)
        print(" · ".join([f"{len(shown)} rejected", *(f"{name} {count}" for name, count in reasons.most_common())]))
    return 0


def _line(letter: Letter, marks: Marks) -> str:
    attempts = f" · attempt {letter.attempts}" if letter.attempts > 1 else ""
    state = "" if marks.is_open(letter) else " · retried since"
    name = letter.key if letter.header("stage") != "watch" else "(no article)"
    what = f"{letter.header('source')} at {letter.header('position')}: {letter.header('error')}"
    return printable(f"{name}  {letter.header('stage')}/{letter.header('reason')}{attempts}{state}  {what}")


def _as_object(letter: Letter, marks: Marks) -> dict[str, object]:
    names = ("reason", "error", "stage", "source", "position")
    return {
        "id": letter.key,
        **{name: letter.header(name) for name in names},
        "attempts": letter.attempts,
        "bytes": len(letter.content),
        "retried": not marks.is_open(letter),
        "retryable": marks.is_open(letter) and isinstance(letter.again(), RawArticle),
    }


async def _show(settings: Settings, args: argparse.Namespace) -> int:
    letters, _ = await _read(settings, args)
    if not letters:
        print(f"copydesk: nothing rejected is called {printable(' '.join(args.id))}", file=sys.stderr)
        return 1
    topic = topic_name(settings.prefix, "rejected")
    for letter in islice(letters, args.limit):
        look = Look(
            "rejected", topic, letter.partition, letter.offset, letter.timestamp_ms,
            letter.key.encode(), letter.content, letter.headers,
        )  # fmt: skip
        if args.json:
            print(json_line(look).decode())
        else:
            show(card(look))
    return 0


async def _retry(settings: Settings, args: argparse.Namespace) -> int:
    clock, retrier = SystemClock(), Retrier(settings)
    if not args.dry_run:
        await retrier.open()
    try:
        letters, marks = await _read(settings, args)
        found = answers(islice(latest(letters).values(), args.limit), marks)
        raws = [what for _, what in found if isinstance(what, RawArticle)]
        if not args.dry_run:
            await retrier.publish(raws, rfc3339(clock.now()))
    finally:
        await retrier.close()
    _tell(found, args)
    return 0 if raws else 1


def _tell(found: Sequence[Answer], args: argparse.Namespace) -> None:
    for letter, what in found:
        if args.json:
            print(json.dumps(as_json((letter, what))))
        elif isinstance(what, RawArticle):
            print(printable(f"{letter.key}  {what.source} at {what.position}: attempt {what.attempts}"))
        else:
            print(printable(f"{letter.key}  not retried: {what}"))
    if not args.json:
        again = sum(isinstance(what, RawArticle) for _, what in found)
        done = "would be put" if args.dry_run else "put"
        print(f"{again} of {len(found)} {done} into the stream again")
