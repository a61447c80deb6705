"""What `doctor` asks the broker itself: who it is and how we came in, whose clock is wrong. Deciding is pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from pipeline.clock import Clock
from pipeline.cluster import check_rights, partitions_of
from pipeline.errors import AccessRefusedError
from pipeline.kafka import administrator, asking
from pipeline.monitor.checks import Check
from pipeline.reader import reading
from pipeline.settings import Settings

_PRODUCE = 0
# Kafka tells no release, only which versions of each request it takes. Transactions came with version 3 of Produce
# (KIP-98, 0.11), and 4.0 was the first release to take version 12 (KIP-890).
_TRANSACTIONS, _FOUR = 3, 12
_AHEAD_SECONDS = 30
_HERE = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the broker said."""

    brokers: int
    produce_version: int
    """The newest version of the Produce request that it takes."""
    ahead: Mapping[str, int]
    """How many partitions, by topic, hold a record from the future."""


def check_broker(settings: Settings, seen: Seen) -> Iterator[Check]:
    """Release, login and clocks."""
    release = "4.0 or newer" if seen.produce_version >= _FOUR else "older than 4.0"
    count = f"{seen.brokers} broker{'s' * (seen.brokers != 1)}"
    yield Check(
        "broker",
        seen.produce_version >= _TRANSACTIONS,
        f"answers at {settings.broker}: Kafka {release}, {count}",
        "it has no transactions: use Kafka 0.11 or newer (Copydesk is tested with 4.3)",
    )
    yield _login(settings)
    where = f"{sum(seen.ahead.values())} partitions of {', '.join(sorted(seen.ahead))}"
    yield Check(
        "clocks",
        not seen.ahead,
        f"{where} hold a record from {_AHEAD_SECONDS} s ahead" if seen.ahead else "no record is from the future",
        "set this machine's clock, and those of watchers and workers (timedatectl set-ntp true)",
    )


def _login(settings: Settings) -> Check:
    protocol = settings.security_protocol
    how = f"{settings.sasl_username!r} by {settings.sasl_mechanism}" if protocol.startswith("SASL") else "nobody"
    local = all(address.rpartition(":")[0] in _HERE for address in settings.broker.split(","))
    bare = protocol == "SASL_PLAINTEXT" and not local
    says = f"{protocol}, as {how}" + (", and the login crosses the network in the clear" if bare else "")
    return Check("login", not bare, says, "set security_protocol=SASL_SSL")


async def seen_rights(settings: Settings, clock: Clock) -> Check:
    """Whether our user may read as the workers' group and write in transactions. Raises BrokerUnreachableError."""
    try:
        await check_rights(settings, clock)
    except AccessRefusedError as error:
        return Check("rights", False, str(error), "kafka-acls.sh --add, with --resource-pattern-type prefixed")
    return Check("rights", True, f"group {settings.group} and its transactional ids are ours to use")


async def seen_broker(settings: Settings, topics: list[str], clock: Clock) -> Seen:
    """Ask the broker. Raises BrokerUnreachableError or AccessRefusedError."""
    with asking(settings):
        async with administrator(settings) as admin:
            brokers = (await admin.describe_cluster())["brokers"]
            connection = await admin._client._get_conn(brokers[0]["node_id"])
            versions = connection._versions if connection else {}
            partitions = await partitions_of(admin, topics)
        ahead = await _ahead(settings, [tp for tps in partitions.values() for tp in tps], clock)
    return Seen(len(brokers), versions.get(_PRODUCE, (0, _TRANSACTIONS))[1], ahead)


async def _ahead(settings: Settings, partitions: list[TopicPartition], clock: Clock) -> dict[str, int]:
    if not partitions:
        return {}
    async with reading(settings, partitions) as consumer:
        soon = int((clock.now().timestamp() + _AHEAD_SECONDS) * 1000)
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, soon))
    ahead: dict[str, int] = {}
    for tp, offset in found.items():
        if offset is not None:
            ahead[tp.topic] = ahead.get(tp.topic, 0) + 1
    return ahead
