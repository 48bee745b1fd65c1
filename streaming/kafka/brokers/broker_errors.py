"""What an error of the brokers says about a question: ask again, there is no such thing, or they do not tell it."""

from __future__ import annotations

from confluent_kafka import KafkaError

_MISSING = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)
_MOVING = (
    *_MISSING,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.NOT_CONTROLLER,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError.REQUEST_TIMED_OUT,
)
"""A partition or the cluster is getting another leader. librdkafka does not call all of them retriable."""
_NOT_TOLD = (KafkaError._UNSUPPORTED_FEATURE, KafkaError.UNSUPPORTED_VERSION, KafkaError.INVALID_REQUEST)


def is_passing(error: KafkaError) -> bool:
    """Whether the same question may be answered a little later."""
    code = error.code()
    return bool(error.retriable()) or code in _MOVING or (code < 0 and code != KafkaError._UNSUPPORTED_FEATURE)


def is_missing(error: KafkaError) -> bool:
    """Whether the brokers know no such topic or partition, which may be for a moment only."""
    return error.code() in _MISSING


def is_not_told(error: KafkaError) -> bool:
    """Whether these brokers do not answer such a question, as the simulator does not tell a topic's configuration."""
    return error.code() in _NOT_TOLD
