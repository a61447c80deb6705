"""The embedded broker: real Apache Kafka, for a machine without Docker, Java or Maven.

    jars.lock ─▶ jars ─▶ download ─▶ cache ─▶ launch ─▶ keeper ═▶ java kafka.Kafka ◀─ probe
                         (once a user)       (format,   (ends with             (is it ready?)
                                              serve)     its owner)

`embedded.EmbeddedBroker` does all this and owns the keeper; `place` knows the folder and its locks;
`command` is `copydesk broker`.
"""

from pipeline.broker.command import run_broker, running_bootstrap
from pipeline.broker.embedded import EmbeddedBroker

__all__ = ["EmbeddedBroker", "run_broker", "running_bootstrap"]
