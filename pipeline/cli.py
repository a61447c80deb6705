"""The command line: parse, build Settings, call. Everything else lives elsewhere."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from pipeline import __version__
from pipeline.errors import CopydeskError, UserError
from pipeline.settings import ENVIRONMENT_PREFIX, Settings, load

_KAFKA = ("broker", "broker_port", "data_dir", "prefix", "security_protocol", "sasl_mechanism", "sasl_username",
          "sasl_password_file", "sasl_token_file", "ssl_cafile", "ssl_certfile", "ssl_keyfile",
          "log_level")  # fmt: skip
_TOPICS = ("partitions", "replication_factor", "max_article_bytes", "window_seconds")
_INBOX = ("inbox", "after", "after_dir", "settle_seconds", "scan_seconds", "max_file_bytes", "max_unpacked_ratio",
          "max_unpacked_bytes")  # fmt: skip
_PARSING = ("fields", "parse_seconds")
_WORK = (*_PARSING, "tagger", "taxonomy", "story_window_seconds", "batch_articles", "batch_seconds", "check_ratio",
         "reject_ratio", "reject_run", "session_timeout_seconds", "drain_seconds")  # fmt: skip
_HTTP = ("metrics_host", "metrics_port", "http_certfile", "http_keyfile", "http_username", "http_password_file")
_PAGE = ("page_host", "page_port")


@dataclass(frozen=True)
class Command:
    """One subcommand: where its code is, which settings are its flags, and an example that works."""

    name: str
    help: str
    module: str
    function: str
    settings: tuple[str, ...]
    example: str
    arguments: str = ""
    """Name of the function in `module` that adds further arguments."""


COMMANDS = (
    Command("run", "everything on this machine: broker, topics, watcher, workers, monitor", "run", "run",
            (*_KAFKA, *_TOPICS, *_INBOX, "workers", *_WORK, *_HTTP, *_PAGE), "copydesk run --inbox news --workers 2",
            "add_arguments"),
    Command("broker", "the embedded Apache Kafka alone", "broker", "run", _KAFKA, "copydesk broker --broker-port 9092"),
    Command("watch", "publish an inbox's files to Kafka", "roles", "run_watch",
            (*_KAFKA, *_TOPICS, *_INBOX, "drain_seconds", *_HTTP),
            "copydesk watch --inbox news --broker kafka:9092", "add_child_argument"),
    Command("worker", "normalise, de-duplicate and tag", "roles", "run_worker", (*_KAFKA, *_TOPICS, *_WORK, *_HTTP),
            "copydesk worker --broker kafka:9092", "add_child_argument"),
    Command("stories", "count what each story has come to, on a topic of its own", "roles", "run_stories",
            (*_KAFKA, *_TOPICS, "drain_seconds", *_HTTP), "copydesk stories --broker kafka:9092",
            "add_child_argument"),
    Command("monitor", "serve the live page, and consumer lag and the books as metrics", "roles", "run_monitor",
            (*_KAFKA, *_TOPICS, "drain_seconds", *_HTTP, *_PAGE), "copydesk monitor --broker kafka:9092"),
    Command("tail", "look at a topic, one card an article", "tail", "run", _KAFKA,
            "copydesk tail enriched --from-beginning --limit 3", "add_arguments"),
    Command("status", "files waiting and why, lag, books, rates", "status", "run", (*_KAFKA, "inbox", *_HTTP),
            "copydesk status --json", "add_arguments"),
    Command("explain", "what would become of a file, without Kafka", "explain", "run",
            ("max_article_bytes", "max_file_bytes", "max_unpacked_ratio", "max_unpacked_bytes", "window_seconds",
             "story_window_seconds", *_PARSING, "tagger", "taxonomy"),
            "copydesk explain seeds/wire/cup-final-accra.txt", "add_arguments"),
    Command("formats", "which files are read, and what an article of each is", "formats", "run", ("log_level",),
            "copydesk formats", "add_arguments"),
    Command("taxonomy", "check a file of your own terms", "taxonomy", "run", ("taxonomy", "log_level"),
            "copydesk taxonomy check taxonomy.toml", "add_arguments"),
    Command("reconcile", "what became of every file of a folder", "reconcile", "run", (*_KAFKA, "inbox"),
            "copydesk reconcile inbox", "add_arguments"),
    Command("rejected", "the dead letters: list, show, retry", "rejected", "run", (*_KAFKA, *_TOPICS),
            "copydesk rejected retry --reason unexpected", "add_arguments"),
    Command("doctor", "check broker, topics, folders and limits", "doctor", "run",
            (*_KAFKA, *_TOPICS, "inbox", *_HTTP), "copydesk doctor --broker kafka:9092", "add_arguments"),
    Command("topics", "make the topics that are missing", "topics", "run", (*_KAFKA, *_TOPICS),
            "copydesk topics --broker kafka:9092"),
    Command("bench", "articles a second and CPU an article: plain loop against the whole pipeline", "bench", "run",
            ("data_dir", "log_level", "batch_articles", "batch_seconds"), "copydesk bench --articles 20000",
            "add_arguments"),
)  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """Takes `show --json ID` as well as `show ID --json`: argparse itself, before Python 3.12.7, wants the second."""

    _mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._mixing:
            return super().parse_known_args(args, namespace)
        self._mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False


def build_parser(only: str = "") -> argparse.ArgumentParser:
    """The command line as a parser; with `only`, the other commands' code is not loaded, which starts faster."""
    parser = argparse.ArgumentParser(
        prog="copydesk",
        description="Drop news articles into a folder; read a clean, de-duplicated, tagged stream from Apache Kafka.",
        epilog="Example: copydesk run --inbox news",
    )
    parser.add_argument("--version", action="version", version=f"copydesk {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name,
            help=command.help,
            description=command.help[0].upper() + command.help[1:] + ".",
            epilog=f"Example: {command.example}",
        )
        _add_settings(sub, command.settings)
        if command.arguments and only in ("", command.name):
            getattr(_module(command), command.arguments)(sub)
    return parser


def _module(command: Command) -> object:
    return importlib.import_module(f"pipeline.commands.{command.module}")


def _add_settings(parser: argparse.ArgumentParser, names: Sequence[str]) -> None:
    group = parser.add_argument_group("settings", f"also {ENVIRONMENT_PREFIX}NAME in the environment, or copydesk.toml")
    for spec in fields(Settings):
        if spec.name in names and not spec.metadata["secret"]:
            group.add_argument(
                "--" + spec.name.replace("_", "-"),
                dest=spec.name,
                # A repeated flag makes a list; a choice is checked by `settings`, which says more than argparse.
                action="append" if spec.name == "inbox" else "store",
                metavar="|".join(spec.metadata["choices"]) or spec.name.rpartition("_")[2].upper(),
                help=_help(spec.name, spec.metadata["help"]),
            )


def _help(name: str, text: str) -> str:
    default = getattr(Settings(), name)
    shown = " ".join(default) if isinstance(default, tuple) else default
    escaped = text.replace("%", "%%")
    return f"{escaped} (default: {shown})" if shown != "" else escaped


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 not well, 2 wrong use. Errors are one line on stderr."""
    given = sys.argv[1:] if arguments is None else arguments
    args = build_parser(given[0] if given else "-").parse_args(given)
    command = next(found for found in COMMANDS if found.name == args.command)
    try:
        settings = load(vars(args))
        logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        from pipeline.kafka import quiet_client_logs

        quiet_client_logs(logging.getLogger().level)
        code: int = getattr(_module(command), command.function)(settings, args)
    except UserError as error:
        return _complain(error, 2)
    except CopydeskError as error:
        return _complain(error, 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    return code


def _complain(error: CopydeskError, code: int) -> int:
    print(f"copydesk: {' '.join(str(error).split())}", file=sys.stderr)
    return code
