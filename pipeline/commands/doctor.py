"""`copydesk doctor`: one line a check, and what to do where one fails."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable, Iterator

from rich.text import Text

from pipeline.clock import SystemClock
from pipeline.commands import show, until_closed, with_broker
from pipeline.errors import AccessRefusedError, BrokerUnreachableError
from pipeline.kafka import declared_topics, rights
from pipeline.monitor.broker_checks import check_broker, seen_broker, seen_rights
from pipeline.monitor.checks import Check, check_broker_port, machine_checks
from pipeline.monitor.topic_checks import check_topics, found_topics
from pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`doctor` takes the settings only."""
    parser.description = "Check machine, folders, broker and topics, and say what to do. Ends with 1 if a check fails."


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Print every check as it is made; 0, or 1 where one fails."""
    return until_closed(lambda: _run(settings))


def _run(settings: Settings) -> int:
    failed = 0
    for check in checks(settings):
        show(line(check), soft_wrap=True)
        failed += not check.ok
    show(Text("All is well." if not failed else f"{failed} to mend.", style="bold"))
    return 1 if failed else 0


def checks(settings: Settings) -> Iterator[Check]:
    """Every check, in the order in which a fault would stop us."""
    yield from machine_checks(settings)
    yield from _broker_checks(settings)


def _broker_checks(settings: Settings) -> Iterable[Check]:
    try:
        settings = with_broker(settings)
    except BrokerUnreachableError:
        # None was named and none runs: that is no fault as long as one can be started.
        return [check_broker_port(settings.broker_port)]
    declared = declared_topics(settings)
    names = [topic.name for topic in declared]
    try:
        seen = asyncio.run(seen_broker(settings, names, SystemClock()))
        found = asyncio.run(found_topics(settings, names))
        allowed = asyncio.run(seen_rights(settings, SystemClock()))
    except AccessRefusedError as error:
        return [Check("broker", False, str(error), "mend what it names")]
    except BrokerUnreachableError as error:
        return [Check("broker", False, str(error), "start it, or mend the address")]
    unseen = rights(settings) if settings.security_protocol.startswith("SASL") else ""
    return [*check_broker(settings, seen), allowed, *check_topics(declared, found, unseen)]


def line(check: Check) -> Text:
    """One check on one line; a second one says what to do."""
    mark = ("✓", "green") if check.ok else ("✗", "bold red")
    text = Text.assemble(mark, " ", (check.name, "bold"), "  ", check.says)
    return text if check.ok else text.append(f"\n    → {check.do}", style="yellow")
