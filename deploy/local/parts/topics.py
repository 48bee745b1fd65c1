"""The topics of a stack on brokers that are real ones: created where they are missing, and whose clock stamps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from deploy.local.errors import LocalError

PARTITIONS = 2
STAMP_TYPE = "message.timestamp.type"
STAMPED_BY_PRODUCERS = {
    STAMP_TYPE: "CreateTime",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
}
"""History keeps its own times: nothing may be deleted for its age."""

_MODES = {"CreateTime": "embedded", "LogAppendTime": "live"}
_NOT_TOLD = (KafkaError._UNSUPPORTED_FEATURE, KafkaError.UNSUPPORTED_VERSION, KafkaError.INVALID_REQUEST)
_ANSWER_S = 15.0


def prepare_topics(
    bootstrap_servers: str,
    names: Iterable[str],
    options: Mapping[str, str] | None = None,
    written: Mapping[str, str | None] = MappingProxyType({}),
) -> tuple[str, list[str]]:
    """Create what is missing, stamped as the others are. The topic mode that fits them all, and what was created.

    options: more of librdkafka's, such as security.protocol. written: topics that the stack itself writes, each with
    the topic that it has as many partitions as, if there is one; any clock may stamp them. Raises LocalError where
    Kafka does not answer, or the topics disagree.
    """
    admin = AdminClient({**(options or {}), "bootstrap.servers": bootstrap_servers, "log_level": 2})
    wanted = sorted(names)
    with explained(bootstrap_servers):
        there = admin.list_topics(timeout=_ANSWER_S).topics
        stamped = {name: _stamped_by(admin, name) for name in wanted if name in there}
        mode = _mode(stamped)
        config = {**STAMPED_BY_PRODUCERS, STAMP_TYPE: next(kind for kind, each in _MODES.items() if each == mode)}
        missing = [name for name in (*wanted, *sorted(written)) if name not in there]
        events = {name: there.get(written.get(name) or "") for name in missing}
        counts = {name: PARTITIONS if each is None else len(each.partitions) for name, each in events.items()}
        new = [NewTopic(name, num_partitions=count, config=config) for name, count in counts.items()]
        for future in admin.create_topics(new, operation_timeout=_ANSWER_S).values() if new else ():
            future.result(_ANSWER_S)
    return mode, missing


@contextmanager
def explained(bootstrap_servers: str) -> Iterator[None]:
    """Raises LocalError in place of KafkaException: what a person can do about it."""
    try:
        yield
    except KafkaException as error:
        raise LocalError(
            f"Kafka at {bootstrap_servers} refuses, or does not answer: {error.args[0].str()}. "
            "Correct KAFKA_BOOTSTRAP_SERVERS, or start that Kafka."
        ) from error


def _mode(stamped: Mapping[str, str]) -> str:
    kinds = set(stamped.values())
    if len(kinds) > 1:
        found = ", ".join(f"{name} by {kind}" for name, kind in sorted(stamped.items()))
        raise LocalError(
            f"the topics are not stamped alike: {found}. Set {STAMP_TYPE} of all of them to LogAppendTime (the "
            "brokers' clock) or of all of them to CreateTime (the producers', on this machine)."
        )
    return _MODES[kinds.pop()] if kinds else "embedded"


def _stamped_by(admin: AdminClient, name: str) -> str:
    resource = ConfigResource(ResourceType.TOPIC, name)
    try:
        found = admin.describe_configs([resource], request_timeout=_ANSWER_S)[resource].result(_ANSWER_S)
    except KafkaException as error:
        if error.args[0].code() not in _NOT_TOLD:
            raise
        return "CreateTime"  # a simulator: it keeps the producers' times, and tells no configuration
    return str(found[STAMP_TYPE].value)
