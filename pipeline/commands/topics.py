"""`copydesk topics`: make the topics that are missing. Every role does so too, where it has the right."""

from __future__ import annotations

import argparse
import asyncio

from pipeline.commands import with_broker
from pipeline.kafka import declared_topics, ensure_topics
from pipeline.settings import Settings


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Print each topic and whether it was made now; 0. What is there is left as it is."""
    settings = with_broker(settings)
    made = asyncio.run(ensure_topics(settings))
    for topic in declared_topics(settings):
        print(f"{topic.name}: {'made' if topic.name in made else 'is there'}")
    return 0
