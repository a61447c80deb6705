"""`copydesk broker`, and how other commands find the broker that one runs."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.broker.embedded import EmbeddedBroker
from pipeline.broker.jars import KAFKA_VERSION
from pipeline.broker.place import Place
from pipeline.broker.probe import is_ready
from pipeline.settings import Settings


def run_broker(settings: Settings, say: Callable[[str], None]) -> None:
    """Print the bootstrap address and keep Kafka up until SIGINT or SIGTERM, then return.

    Call it from the main thread. Raises what `EmbeddedBroker.start` and `check` raise.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        contextlib.suppress(KeyboardInterrupt),
        EmbeddedBroker(Path(settings.data_dir), settings.broker_port, say) as broker,
    ):
        print(broker.bootstrap, flush=True)
        say(f"Apache Kafka {KAFKA_VERSION} is ready at {broker.bootstrap}; Ctrl-C ends it")
        while True:
            broker.check()
            time.sleep(0.5)


def running_bootstrap(data_dir: Path) -> str | None:
    """HOST:PORT of the embedded broker that some process runs on `data_dir`, None where none does."""
    place = Place(data_dir.absolute() / "broker")
    try:
        address = place.address.read_text()
        # A killed owner leaves the file, and its port may be another's by now: ask.
        return address if is_ready(int(address.rpartition(":")[2]), place.cluster_id()) else None
    except (OSError, ValueError):
        return None
