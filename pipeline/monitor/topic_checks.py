"""Whether the topics on the broker are what `pipeline.topics` declares. Deciding is pure, `found_topics` reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from pipeline.cluster import partitions_of
from pipeline.kafka import client_options, unreachable
from pipeline.monitor.checks import Check
from pipeline.settings import Settings

# More of these than declared does no harm; less loses records or refuses them.
_AT_LEAST = ("retention.ms", "max.message.bytes")


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as the broker has it."""

    partitions: int
    config: Mapping[str, str]


def check_topics(declared: list[NewTopic], found: Mapping[str, Found]) -> Iterator[Check]:
    """One check a declared topic."""
    for topic in declared:
        name = f"topic {topic.name}"
        if topic.name not in found:
            yield Check(name, False, "is missing", "`copydesk run` (or any one role) makes it")
        else:
            faults = list(_faults(topic, found[topic.name]))
            count = found[topic.name].partitions
            says = "; ".join(fault for fault, _ in faults) or f"{count} partition{'s' * (count != 1)}"
            yield Check(name, not faults, says, "; ".join(do for _, do in faults))


def _faults(topic: NewTopic, found: Found) -> Iterator[tuple[str, str]]:
    # Of our own topics only these two stand or fall with the number: their order is what they are for.
    if topic.num_partitions == 1 and found.partitions != 1:
        yield f"has {found.partitions} partitions, and must have one", f"delete {topic.name} and let copydesk make it"
    for key, wanted in topic.topic_configs.items():
        have = found.config.get(key, "")
        if not _enough(key, wanted, have):
            do = f"kafka-configs.sh --alter --entity-type topics --entity-name {topic.name} --add-config {key}={wanted}"
            yield f"{key} is {have or 'unknown'}, and should be {wanted}", do


def _enough(key: str, wanted: str, have: str) -> bool:
    if key not in _AT_LEAST or not have.lstrip("-").isdigit():
        return have == wanted
    # -1 keeps for ever.
    return int(have) == -1 or int(have) >= int(wanted)


async def found_topics(settings: Settings, names: list[str]) -> dict[str, Found]:
    """Those of the topics `names` that exist. Raises BrokerUnreachableError."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        partitions = await partitions_of(admin, names)
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in partitions]
        answers = await admin.describe_configs(asked) if asked else []
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from error
    finally:
        await admin.close()
    configs = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    return {name: Found(len(found), configs.get(name, {})) for name, found in partitions.items()}
