"""Leaders that move, freeze and go, under a client that was made before: it learns of the new leader, or is replaced.

librdkafka 2.16 asks the old leader for ever. `bootstrap` waited ten minutes for it once, until a person restarted it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from streaming.kafka.brokers.admin_link import LATEST, AdminLink, offset_in
from streaming.kafka.brokers.topics import Bounds, Topics
from streaming.settings import StreamingSettings, load_settings
from tests.end_to_end.two_brokers import TwoBrokers

RECORDS = 5
HEALED_WITHIN_S = 90.0


@pytest.fixture
def topic(brokers: TwoBrokers) -> str:
    """Four partitions with five records each; both brokers lead some."""
    name = f"moves_{secrets.token_hex(3)}"
    brokers.first.create_topic(name, 4)
    producer = Producer({"bootstrap.servers": brokers.bootstrap_servers})
    for number in range(4):
        for _ in range(RECORDS):
            producer.produce(name, b"x", partition=number)
    assert producer.flush(30) == 0
    assert set(brokers.leaders(name)) == {1, 2}
    return name


@pytest.fixture
def settings(brokers: TwoBrokers) -> Iterator[StreamingSettings]:
    yield load_settings(kafka_bootstrap_servers=brokers.bootstrap_servers, topic_mode="live")
    for broker in (brokers.first, brokers.second):
        broker.resume() if broker.running else broker.start()


def right(topic: str) -> dict[tuple[str, int], Bounds]:
    return {(topic, number): Bounds(0, RECORDS) for number in range(4)}


def seconds_until_right(topics: Topics, topic: str) -> float:
    began_s = time.monotonic()
    assert topics.bounds(right(topic)) == right(topic)
    return time.monotonic() - began_s


def frozen(brokers: TwoBrokers, topic: str, seconds: float) -> threading.Timer:
    """Freeze the second broker for a while. Returns when it leads nothing any more; the timer wakes it."""
    brokers.second.pause()
    wake = threading.Timer(seconds, brokers.second.resume)
    wake.start()
    brokers.wait_for_leaders(topic, lambda leaders: set(leaders) == {1})
    return wake


def test_a_leader_that_is_frozen_for_8_s_is_forgotten_and_followed_home(brokers, topic, settings):
    topics = Topics(settings)
    seconds_until_right(topics, topic)
    wake = frozen(brokers, topic, 8.0)
    assert seconds_until_right(topics, topic) < HEALED_WITHIN_S
    assert set(topics.describe([topic])) == {topic}
    wake.join()
    for _ in range(3):  # the broker is back, and knows that it does not lead
        time.sleep(1.0)
        assert seconds_until_right(topics, topic) < HEALED_WITHIN_S
    brokers.send_leaders_home()
    brokers.wait_for_leaders(topic, lambda leaders: set(leaders) == {1, 2})
    assert seconds_until_right(topics, topic) < HEALED_WITHIN_S


def test_whoever_does_not_wait_gets_errors_at_first_and_never_a_wrong_offset(brokers, topic, settings):
    topics = Topics(settings, within_s=5.0)
    seconds_until_right(topics, topic)
    wake = frozen(brokers, topic, 8.0)
    answers: list[object] = []
    deadline = time.monotonic() + HEALED_WITHIN_S
    while answers[-2:] != [right(topic)] * 2 and time.monotonic() < deadline:
        try:
            answers.append(topics.bounds(right(topic)))
        except KafkaException as error:
            answers.append(error.args[0].code())
    wake.join()
    assert {KafkaError._TIMED_OUT} >= {each for each in answers if isinstance(each, int)}
    assert all(each == right(topic) for each in answers if not isinstance(each, int)), answers
    assert answers[-2:] == [right(topic)] * 2


def test_an_answer_without_an_offset_is_no_answer():
    assert offset_in(SimpleNamespace(offset=0)) == 0
    with pytest.raises(KafkaException, match="the partition's leader gave no answer in time"):
        offset_in(SimpleNamespace(offset=-1001))


def test_a_question_that_is_never_answered_is_given_up():
    link = AdminLink({"bootstrap.servers": "127.0.0.1:1", "error_cb": lambda error: None, "log_level": 0}, 0.1)
    with pytest.raises(KafkaException, match="the client gave no answer in time"):
        link.answer(Future())


def test_a_client_that_is_replaced_leaves_no_question_open():
    """Its questions may never be answered once it has ended: readers paused for ever then (seen)."""
    link = AdminLink({"bootstrap.servers": "127.0.0.1:1", "error_cb": lambda error: None, "log_level": 0}, 0.5)
    questions = [link.describe(["payments"])["payments"]]
    questions += link.offsets([("payments", 0)], LATEST).values()
    link.renew()
    assert all(isinstance(each.exception(10.0), KafkaException) for each in questions)
