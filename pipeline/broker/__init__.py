"""The embedded broker: real Apache Kafka, for a machine without Docker, Java or Maven.

jars.lock ─▶ jars (download once) ─▶ launch (format, command line) ─▶ keeper ═▶ java kafka.Kafka
                                                                        ▲ ends when its owner does
EmbeddedBroker (embedded) owns the keeper; probe asks whether Kafka is ready
"""

from pipeline.broker.command import run_broker, running_bootstrap
from pipeline.broker.embedded import EmbeddedBroker

__all__ = ["EmbeddedBroker", "run_broker", "running_bootstrap"]
