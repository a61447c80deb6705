"""Whether the topics on the broker are what `pipeline.topics` declares. Deciding is pure, `found_topics` reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from pipeline.kafka import administrator, asking
from pipeline.monitor.checks import Check
from pipeline.settings import Settings

# More of these than declared does no harm; less loses records or refuses them.
_AT_LEAST = ("retention.ms", "max.message.bytes")
# The others need libraries that our client does not bring along.
_READABLE = ("producer", "uncompressed", "gzip")


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as the broker has it."""

    partitions: int
    config: Mapping[str, str]
    replicas: int = 1
    brokers: int = 1
    """Of the cluster, to hold the replicas against."""


def check_topics(declared: list[NewTopic], found: Mapping[str, Found], unseen: str = "") -> Iterator[Check]:
    """One check a declared topic. `unseen`: the rights to ask for, where Kafka may hide topics from our user."""
    missing = "is missing, or our user may not see it" if unseen else "is missing"
    do = "`copydesk topics` makes what is missing" + (f"; else grant our user {unseen}" if unseen else "")
    if not found:
        # One fault, not six.
        yield Check("topics", False, f"each of the {len(declared)} {missing}", do)
        return
    for topic in declared:
        name = f"topic {topic.name}"
        if topic.name not in found:
            yield Check(name, False, missing, do)
        else:
            faults = list(_faults(topic, found[topic.name]))
            count = found[topic.name].partitions
            says = "; ".join(fault for fault, _ in faults) or f"{count} partition{'s' * (count != 1)}"
            yield Check(name, not faults, says, "; ".join(do for _, do in faults))


def _faults(topic: NewTopic, found: Found) -> Iterator[tuple[str, str]]:
    # Of our own topics only these two stand or fall with the number: their order is what they are for.
    if topic.num_partitions == 1 and found.partitions != 1:
        yield f"has {found.partitions} partitions, and must have one", f"delete {topic.name} and let copydesk make it"
    yield from _safety(topic.name, found)
    if found.config.get("compression.type", "producer") not in _READABLE:
        do = (
            f"kafka-configs.sh --alter --entity-type topics --entity-name {topic.name} --delete-config compression.type"
        )
        yield f"compression.type is {found.config['compression.type']}, which our client cannot read", do
    for key, wanted in topic.topic_configs.items():
        have = found.config.get(key, "")
        if not _enough(key, wanted, have):
            do = f"kafka-configs.sh --alter --entity-type topics --entity-name {topic.name} --add-config {key}={wanted}"
            yield f"{key} is {have or 'unknown'}, and should be {wanted}", do


def _safety(name: str, found: Found) -> Iterator[tuple[str, str]]:
    """Whether one broker may be lost: with every record on several, and no commit before two of them have it."""
    least = int(found.config.get("min.insync.replicas") or 1)
    alter = f"kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config min.insync.replicas"
    if least > found.replicas:
        yield f"min.insync.replicas is {least}, with {found.replicas} replicas nothing can be written", f"{alter}=1"
    elif found.brokers > 1 and found.replicas == 1:
        yield (
            f"has 1 replica on {found.brokers} brokers, so losing one loses articles",
            f"kafka-reassign-partitions.sh for {name}, or set replication_factor=3 before the topics are made",
        )
    elif found.replicas > 2 and least < 2:
        yield f"min.insync.replicas is {least}, so a commit may rest on one broker alone", f"{alter}=2"


def _enough(key: str, wanted: str, have: str) -> bool:
    if key not in _AT_LEAST or not have.lstrip("-").isdigit():
        return have == wanted
    # -1 keeps for ever.
    return int(have) == -1 or int(have) >= int(wanted)


async def found_topics(settings: Settings, names: list[str]) -> dict[str, Found]:
    """Those of the topics `names` that exist. Raises BrokerUnreachableError."""
    with asking(settings):
        async with administrator(settings) as admin:
            described = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}
            brokers = len((await admin.describe_cluster())["brokers"])
            there = [name for name in names if name in described]
            asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
            answers = await admin.describe_configs(asked) if asked else []
    configs = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    return {
        name: Found(
            len(described[name]),
            configs.get(name, {}),
            min(len(partition["replicas"]) for partition in described[name]),
            brokers,
        )
        for name in there
    }
