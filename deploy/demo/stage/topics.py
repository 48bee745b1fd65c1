"""The topics of the demo on a Kafka that is a real one: created with the times the history needs, then made live."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from deploy.demo.errors import DemoError
from deploy.local.parts.topics import PARTITIONS, STAMP_TYPE, STAMPED_BY_PRODUCERS

_ANSWER_S = 15.0


def create_topics(bootstrap_servers: str, names: Iterable[str]) -> None:
    """Create the topics, or take over empty ones. Raises DemoError when one holds records."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 2})
    wanted = sorted(names)
    try:
        there = admin.list_topics(timeout=_ANSWER_S).topics
        full = [name for name in wanted if name in there and _records(bootstrap_servers, name, there[name])]
        if full:
            raise DemoError(
                f"{', '.join(full)} on {bootstrap_servers} already hold records. The demo would mix its own into them, "
                "and the definitions name these topics, so it cannot choose others: delete them "
                f"(kafka-topics.sh --bootstrap-server {bootstrap_servers} --delete --topic {full[0]} ...) or use "
                "another Kafka"
            )
        new = [
            NewTopic(name, num_partitions=PARTITIONS, config=STAMPED_BY_PRODUCERS)
            for name in wanted
            if name not in there
        ]
        for future in admin.create_topics(new, operation_timeout=_ANSWER_S).values() if new else ():
            future.result(_ANSWER_S)
        _alter(admin, [name for name in wanted if name in there], STAMPED_BY_PRODUCERS)
    except KafkaException as error:
        raise DemoError(
            f"Kafka at {bootstrap_servers}: {error.args[0].str()}; look at KAFKA_BOOTSTRAP_SERVERS"
        ) from error


def make_live(bootstrap_servers: str, names: Iterable[str]) -> None:
    """From now on the broker stamps the records; those that are there keep the type they were written with."""
    _alter(
        AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 2}),
        sorted(names),
        {STAMP_TYPE: "LogAppendTime"},
    )


def _alter(admin: AdminClient, names: list[str], config: dict[str, str]) -> None:
    resources = [
        ConfigResource(
            ResourceType.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in config.items()
            ],
        )
        for name in names
    ]
    for future in admin.incremental_alter_configs(resources).values() if resources else ():
        future.result(_ANSWER_S)


def _records(bootstrap_servers: str, name: str, topic: Any) -> int:
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "millrace-demo", "log_level": 2})
    try:
        bounds = [
            consumer.get_watermark_offsets(TopicPartition(name, number), _ANSWER_S) for number in topic.partitions
        ]
    finally:
        consumer.close()
    return sum(high - low for low, high in bounds)
