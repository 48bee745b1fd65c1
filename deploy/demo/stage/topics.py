"""The topics of the demo on a real Kafka: first they take history, with its own times, then live events."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from deploy.demo.errors import DemoError
from deploy.local.parts.topics import STAMP_TYPE, STAMPED_BY_PRODUCERS, explained
from streaming.kafka.brokers.topics import Topics, partitions_of
from streaming.settings import StreamingSettings

_ANSWER_S = 15.0


def claim_topics(settings: StreamingSettings, names: Iterable[str]) -> None:
    """Let producers stamp the records of those that exist. Raises DemoError where one holds records."""
    address, topics = settings.kafka_bootstrap_servers, Topics(settings, within_s=_ANSWER_S)
    with explained(address):
        there = topics.describe(names)
        full = sorted(
            {key[0] for key, each in topics.bounds(partitions_of(there.values())).items() if each.high > each.low}
        )
        if full:
            raise DemoError(
                f"{', '.join(full)} on {address} already hold records. The demo would mix its own into them, and the "
                "definitions name these topics, so it cannot choose others. Delete them (kafka-topics.sh "
                f"--bootstrap-server {address} --delete --topic {full[0]} ...), or use another Kafka."
            )
        _alter(address, there, STAMPED_BY_PRODUCERS)


def make_live(address: str, names: Iterable[str]) -> None:
    """From now on the broker stamps the records. Those that are there keep the type they were written with."""
    with explained(address):
        _alter(address, names, {STAMP_TYPE: "LogAppendTime"})


def _alter(address: str, names: Iterable[str], config: dict[str, str]) -> None:
    to = AlterConfigOpType.SET
    entries = [ConfigEntry(key, value, incremental_operation=to) for key, value in config.items()]
    resources = [ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries) for name in sorted(names)]
    admin = AdminClient({"bootstrap.servers": address, "log_level": 2})
    for future in admin.incremental_alter_configs(resources).values() if resources else ():
        future.result(_ANSWER_S)
