"""The whole flow on one screen: four Faust agents chained by bounded channels. Alone in importing Faust.

    articles.raw ─▶ normalise ─▶ deduplicate ─▶ tag ─▶ sink ─▶ articles.{enriched,duplicates,rejected}

The stages overlap: one batch is tagged while the next is normalised. A full channel is the back-pressure. A channel
and a topic have one interface, so a stage that must scale on its own can be given a topic.

Nothing is acknowledged through Faust, which acknowledges even what an agent failed on: the raw topic has `acks=False`
and the sink commits offsets inside its transactions. An error in an agent ends the worker; its offsets stay put.

`faust -A pipeline.stream.app worker` works too, configured by `COPYDESK_*` variables.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from faust.transport.drivers import aiokafka as driver
from faust.types import StreamT

from pipeline.clock import SystemClock
from pipeline.errors import SettingError
from pipeline.kafka import client_options
from pipeline.metrics import Meter, open_labels
from pipeline.settings import load
from pipeline.stream.batch import Delivered, Judged, Normalised, Tagged
from pipeline.stream.delivery import BatchDelivery
from pipeline.stream.flow import Flow
from pipeline.topics import topic_name
from pipeline.transactions import leave

_CHANNEL_BATCHES = 2
_FETCH_BYTES = 8 << 20


def build(flow: Flow, fail: Callable[[BaseException], None]) -> faust.App:
    """The Faust app around `flow`, which it starts and stops. `fail` is told of anything an agent raises."""
    app = _new_app(flow, fail)
    raw = app.topic(topic_name(flow.settings.prefix, "raw"), value_serializer="raw", key_serializer="raw", acks=False)
    normalised, judged, tagged = (app.channel(maxsize=_CHANNEL_BATCHES) for _ in range(3))
    for name in ("normalised", "judged", "tagged"):
        flow.queue(name, _CHANNEL_BATCHES)

    @app.agent(raw, name="normalise")
    async def normalise(stream: StreamT[Delivered]) -> None:
        async for event in stream.events():
            await flow.hand_on("normalised", normalised.put(await flow.normalise(event.message.value)))

    @app.agent(normalised, name="deduplicate")
    async def deduplicate(stream: StreamT[Normalised]) -> None:
        async for batch in stream:
            await flow.hand_on("judged", judged.put(await flow.deduplicate(batch)))

    @app.agent(judged, name="tag")
    async def tag(stream: StreamT[Judged]) -> None:
        async for batch in stream:
            await flow.hand_on("tagged", tagged.put(await flow.tag(batch)))

    @app.agent(tagged, name="sink")
    async def sink(stream: StreamT[Tagged]) -> None:
        async for batch in stream:
            await flow.commit(batch)

    return app


def _new_app(flow: Flow, fail: Callable[[BaseException], None]) -> faust.App:
    class App(faust.App):
        async def on_start(self) -> None:
            await flow.start()
            await super().on_start()

        async def on_stop(self) -> None:
            await flow.stop()
            await super().on_stop()

        async def _on_agent_error(self, agent: Any, error: BaseException) -> None:
            # Faust would start the agent again and go on after the batch that failed; that would lose it.
            fail(error)

    settings = flow.settings
    # Faust wants a folder although our tables live in memory, and does not make the ones above it.
    Path(settings.data_dir).mkdir(parents=True, exist_ok=True)
    app = App(
        settings.group,
        broker=[f"kafka://{address}" for address in settings.broker.split(",")],
        broker_credentials=_credentials(client_options(settings)),
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 4,
        broker_request_timeout=max(30.0, 2 * settings.session_timeout_seconds),
        broker_max_poll_records=settings.batch_articles,
        consumer_auto_offset_reset="earliest",
        # One Faust message is a whole batch: more of them waiting would only cost memory and blind `Pace`.
        stream_buffer_maxsize=1,
        store="memory://",
        datadir=f"{settings.data_dir}/faust",
        topic_allow_declare=False,  # `kafka.ensure_topics` declares them, with our settings
        topic_disable_leader=True,
        web_enabled=False,  # Faust's binds all interfaces; ours is pipeline.monitor.endpoint
    )
    app.transport = _transport(flow)([*app.conf.broker], app)
    return app


def _transport(flow: Flow) -> type[driver.Transport]:
    class ConsumerThread(driver.AIOKafkaConsumerThread):
        async def on_thread_stop(self) -> None:
            await leave(self._consumer, super().on_thread_stop())

        def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
            # Faust reads `read_committed` only under its own exactly-once mode; we need it always.
            settings = flow.settings
            self._assignor = RoundRobinPartitionAssignor
            return AIOKafkaConsumer(
                **client_options(settings),
                group_id=settings.group,
                isolation_level="read_committed",
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                partition_assignment_strategy=[RoundRobinPartitionAssignor],
                max_poll_records=settings.batch_articles,
                max_partition_fetch_bytes=_FETCH_BYTES,
                fetch_max_wait_ms=500,
                session_timeout_ms=int(settings.session_timeout_seconds * 1000),
                heartbeat_interval_ms=int(settings.session_timeout_seconds * 250),
            )

    class Consumer(BatchDelivery, driver.Consumer):
        deliveries = flow.deliveries
        pace = flow.pace
        fence = staticmethod(flow.fence)

        def _new_consumer_thread(self) -> ConsumerThread:
            return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    class Transport(driver.Transport):
        pass

    Transport.Consumer = Consumer
    return Transport


def _credentials(options: dict[str, Any]) -> Any:
    """Our client options as Faust's credentials, for the producer that Faust starts on its own account."""
    context = options.get("ssl_context")
    if "sasl_oauth_token_provider" in options:
        return faust.auth.OAuthCredentials(oauth_cb=options["sasl_oauth_token_provider"], ssl_context=context)
    if "sasl_mechanism" in options:
        return faust.SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=options["sasl_mechanism"],
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context else None


@cache
def _standalone() -> faust.App:
    """The app for Faust's own command line, from the environment. Topics must exist: `copydesk` declares them."""
    settings = load({})
    if not settings.broker:
        raise SettingError("COPYDESK_BROKER: say which Kafka to use, as HOST:PORT")

    def fail(error: BaseException) -> None:
        crashing.append(asyncio.ensure_future(app.crash(error)))

    crashing: list[asyncio.Future[None]] = []
    app = build(Flow(settings, SystemClock(), Meter(open_labels=open_labels(settings), role="worker"), fail), fail)
    return app


def __getattr__(name: str) -> Any:
    # Made when asked for: importing this module must not need a broker.
    if name == "app":
        return _standalone()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
