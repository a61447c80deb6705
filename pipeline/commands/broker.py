"""`copydesk broker`: the embedded Apache Kafka alone, in the foreground."""

from __future__ import annotations

import argparse
import sys

from pipeline.broker import run_broker
from pipeline.settings import Settings


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; 0."""
    run_broker(settings, lambda line: print(line, file=sys.stderr, flush=True))
    return 0
