"""Which answers of the brokers are worth asking again."""

import pytest
from confluent_kafka import KafkaError

from streaming.kafka.brokers.broker_errors import is_missing, is_not_told, is_passing


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
    ],
)
def test_an_outage_and_a_new_leader_pass(code: int) -> None:
    assert is_passing(KafkaError(code))


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNSUPPORTED_VERSION,
        KafkaError.INVALID_REQUEST,
        KafkaError._UNSUPPORTED_FEATURE,
    ],
)
def test_a_refusal_does_not_pass(code: int) -> None:
    assert not is_passing(KafkaError(code))


def test_a_topic_is_missing_by_three_codes_alone() -> None:
    codes = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)
    assert all(is_missing(KafkaError(code)) for code in codes)
    assert not is_missing(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))


def test_brokers_that_do_not_know_the_question_tell_nothing() -> None:
    assert is_not_told(KafkaError(KafkaError.UNSUPPORTED_VERSION))
    assert not is_not_told(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
