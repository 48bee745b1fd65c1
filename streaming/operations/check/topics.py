"""Checks of topics: whose clock stamps their records, how long records are kept, and whether positions fit the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from confluent_kafka import KafkaException

from shared_features.counted import counted
from streaming.kafka.brokers.recreated_topic import what_was_recreated
from streaming.kafka.brokers.topics import Bounds, PartitionKey, Topic, Topics
from streaming.operations.check.finding import Finding
from streaming.settings import StreamingSettings

DAY_MS = 86_400_000
_STAMPS = {"live": "LogAppendTime", "import": "CreateTime"}
_DUE_TO = {
    "live": "the brokers' clock must stamp live events",
    "import": "an import keeps the times that its producer stamps",
}


def missing_topics(names: Iterable[str], topics: Mapping[str, Topic]) -> Iterator[Finding]:
    for name in sorted(set(names) - set(topics)):
        text = "does not exist. Create the topic with the partitions it needs. A running dataflow waits for it"
        yield Finding("refused", f"topic {name}", text, waits=True)


def missing_log(name: str, topics: Mapping[str, Topic]) -> Iterator[Finding]:
    """name: of the topic of the prediction log, which nothing else waits for."""
    if name not in topics:
        text = "does not exist. Create the topic of the prediction log. The archive stores all other topics meanwhile"
        yield Finding("warning", f"topic {name}", text)


def missing_scores(named: Mapping[str, str], topics: Mapping[str, Topic]) -> Iterator[Finding]:
    """named: view -> topic of its scores, which the program that scores waits for."""
    for view, name in named.items():
        if name not in topics:
            text = f"does not exist. Create the topic of the scores of view {view}. Nothing is scored until then"
            yield Finding("warning", f"topic {name}", text)


def check_config(asked: Topics, settings: StreamingSettings, topics: Iterable[Topic]) -> Iterator[Finding]:
    """Compare each topic's configuration with the topic mode."""
    for topic in topics:
        about = f"topic {topic.name}"
        try:
            config = asked.config(topic.name)
        except KafkaException as error:
            yield Finding("warning", about, f"its configuration cannot be read: {error.args[0].str()}")
            continue
        if config is not None:
            yield from config_findings(about, settings.topic_mode, config)
        elif settings.topic_mode != "embedded":
            yield Finding(
                "refused",
                about,
                "the brokers do not tell its configuration, so it is unknown whose clock stamps its records. If the "
                f"brokers are librdkafka's simulator, set MILLRACE_TOPIC_MODE=embedded (found: {settings.topic_mode})",
            )


def config_findings(about: str, mode: str, config: Mapping[str, str]) -> Iterator[Finding]:
    """The findings of one topic's configuration."""
    stamped_by = config.get("message.timestamp.type", "CreateTime")
    if mode in _STAMPS and stamped_by != _STAMPS[mode]:
        yield Finding(
            "refused",
            about,
            f"message.timestamp.type is {stamped_by}, but in mode {mode} {_DUE_TO[mode]}. "
            f"Set it to {_STAMPS[mode]}, or set MILLRACE_TOPIC_MODE to the mode of this topic",
        )
    if "compact" in config.get("cleanup.policy", "delete"):
        text = (
            "cleanup.policy compacts the topic: an event replaces earlier events of its key. Set cleanup.policy=delete"
        )
        yield Finding("refused", about, text)
    retention_ms = int(config.get("retention.ms", -1))
    if mode == "import" and retention_ms != -1:
        text = f"retention.ms is {retention_ms}: old records are deleted at once. Set -1 until the import is done"
        yield Finding("refused", about, text)
    elif mode != "import" and 0 <= retention_ms < DAY_MS:
        hours = retention_ms / 3_600_000
        text = f"records are kept for {hours:.3g} hours: a longer outage loses events. Set retention.ms to some days"
        yield Finding("warning", about, text)
    if int(config.get("retention.bytes", -1)) != -1 and mode == "import":
        yield Finding(
            "warning",
            about,
            "retention.bytes deletes records before they are imported. Set -1 until the import is done",
        )
    if config.get("unclean.leader.election.enable") == "true":
        text = "a broker that lacks records may become leader and lose them. Set unclean.leader.election.enable=false"
        yield Finding("warning", about, text)


def check_position(
    about: str,
    partition: tuple[str, str, int],
    offset: int,
    topics: Mapping[str, Topic],
    bounds: Mapping[PartitionKey, Bounds],
) -> Iterator[Finding]:
    """Check a stored position: still the same topic, the partition exists, the offset lies in the log."""
    name, topic_id, number = partition
    topic = topics.get(name)
    if topic is None:
        return
    where = f"topic {name}, partition {number}"
    if topic.id != topic_id:
        yield Finding("refused", about, what_was_recreated(name, topic.id))
    elif number not in topic.partitions:
        text = f"has stored a position of {where}, but the topic has {len(topic.partitions)} partitions"
        yield Finding("refused", about, f"{text}. These may be the wrong brokers. Check KAFKA_BOOTSTRAP_SERVERS")
    elif (name, number) in bounds and offset >= (log := bounds[name, number]).high:
        text = f"has stored offset {offset} of {where}, beyond the log's end {log.high}: the log was truncated"
        yield Finding("refused", about, f"{text}. Restore the log, or begin with a new namespace and a new lake")
    elif (name, number) in bounds and offset + 1 < log.low:
        gone = counted(log.low - offset - 1, "record was", "records were")
        text = f"{gone} deleted from {where} before it stored them"
        yield Finding(
            "warning", about, f"{text}. Reading continues after the gap. Set a longer retention for the topic"
        )
