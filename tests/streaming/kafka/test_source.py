"""Against the simulator: from where a source reads, what it says of holes and ends, and how it stops."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import timedelta

import numpy as np
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from streaming.errors import RefusedError, RestartNeeded
from streaming.job import stopping
from streaming.job.waits import _WAITS, waits
from streaming.kafka import stalls, topic_watch
from streaming.kafka.brokers import topics
from streaming.kafka.brokers.topics import Topics
from streaming.kafka.records.polled import Polled
from streaming.kafka.share import KafkaShare
from streaming.kafka.source import KafkaSource
from streaming.settings import load_settings
from tests.streaming.kafka_log import KafkaLog
from tests.streaming.online.some_log import TOPICS, a_log, produce
from tests.streaming.small_domain import OUTCOMES, PAYMENTS


@pytest.fixture
def kafka() -> Iterator[KafkaSimulator]:
    with KafkaSimulator(TOPICS) as simulator:
        yield simulator


@pytest.fixture
def build(kafka: KafkaSimulator) -> Iterator[Callable[..., KafkaShare]]:
    shares: list[KafkaShare] = []

    def build(positions=None, worker=(0, 1), gather=None, **more):
        settings = load_settings(
            kafka_bootstrap_servers=kafka.bootstrap_servers, topic_mode="embedded", **{"idle_mark": 0.1, **more}
        )
        source = KafkaSource(settings, (PAYMENTS, OUTCOMES), lambda: positions or {}, gather=gather)
        shares.append(source.build("kafka", *worker))
        return shares[-1]

    yield build
    for share in shares:
        share.close()


def polls(share: KafkaShare, done: Callable[[list[Polled]], bool], within_s: float = 60.0) -> list[Polled]:
    found: list[Polled] = []
    deadline = time.monotonic() + within_s
    while not done(found):
        if time.monotonic() > deadline:
            raise AssertionError(f"only {found} within {within_s} s")
        found += share.next_batch()
    return found


def nobody() -> Topics:
    """What asks brokers that are not there."""
    return Topics(load_settings(kafka_bootstrap_servers="127.0.0.1:1", topic_mode="embedded"))


def covered(log, of=("payments", "outcomes")):
    """Whether polls have come to the end of every partition."""
    wanted = {(name, number): len(log.of((name, number))) - 1 for name, number in log.all() if name in of}

    def done(found):
        at = {(each.topic, each.partition): each.to for each in found}
        return all(at.get(key) == offset for key, offset in wanted.items())

    return done


def test_every_record_comes_once_in_stretches_that_join_on(kafka, build):
    log = a_log(1, 500)
    produce(kafka.bootstrap_servers, log)
    found = polls(build(poll_records=20), covered(log))
    for key in log.all():
        own = [each for each in found if (each.topic, each.partition) == key]
        assert [each.after for each in own] == [-1, *(each.to for each in own[:-1])]
        offsets = np.concatenate([each.offsets for each in own]).tolist()
        dead = [letter.offset for each in own for letter in each.dead]
        assert sorted(offsets + dead) == list(range(len(log.of(key))))
        times = [record.time_us for record in log.of(key)]
        assert [each.record_time_us for each in own] == [
            max(times[each.after + 1 : each.to + 1], default=-1)
            for each in own  # a mark of a quiet partition has none
        ]


def test_it_goes_on_behind_the_positions_and_workers_share_the_partitions(kafka, build):
    log = a_log(2, 200)
    produce(kafka.bootstrap_servers, log)
    first = polls(build({("payments", 1): 7}, worker=(0, 2)), lambda found: len({each.topic for each in found}) == 2)
    second = polls(build(worker=(1, 2)), lambda found: bool(found))
    assert {(each.topic, each.partition) for each in first} == {("outcomes", 0), ("payments", 1)}
    assert {(each.topic, each.partition) for each in second} == {("payments", 0)}
    assert next(each for each in first if each.topic == "payments").after == 7


def test_deleted_records_are_a_gap_not_silence(kafka, build):
    log = a_log(3, 200)
    produce(kafka.bootstrap_servers, log)
    kafka.delete_records("payments", 0, 10)
    found = polls(build({("payments", 0): 3}), covered(log))
    own = [each for each in found if (each.topic, each.partition) == ("payments", 0)]
    assert (own[0].gap, own[0].after, own[0].to, len(own[0].events)) == ((4, 10), 3, 9, 0)
    assert own[1].after == 9


def test_a_position_beyond_the_end_is_refused(kafka, build):
    with pytest.raises(RefusedError, match="The stored position is offset 5, but the log ends"):
        build({("payments", 1): 5})


def test_a_quiet_partition_is_marked_with_a_clock_read_before_its_end_was_asked_for(kafka, build):
    before_us = time.time_ns() // 1000
    (mark, *_) = polls(build(), lambda found: any(each.idle_until_us for each in found))
    assert mark.idle_until_us is not None
    assert before_us <= mark.idle_until_us <= time.time_ns() // 1000
    assert (mark.after, mark.to, len(mark.events), mark.record_time_us) == (-1, -1, 0, -1)


def test_a_broker_that_comes_back_is_read_on(kafka, build):
    log = a_log(4, 200)
    produce(kafka.bootstrap_servers, log, (0, 0.5))
    share = build()
    found = polls(share, lambda found: sum(len(each.events) for each in found) > 50)
    kafka.broker_down()
    for _ in range(20):
        found += share.next_batch()
    kafka.broker_up()
    produce(kafka.bootstrap_servers, log, (0.5, 1))
    found += polls(share, lambda more: covered(log)(found + more))
    records = sum(len(each.events) + len(each.dead) for each in found)
    assert records == sum(len(log.of(key)) for key in log.all())


def test_a_consumer_that_brings_nothing_of_a_log_that_has_more_is_replaced(kafka, build, monkeypatch):
    monkeypatch.setattr(stalls, "_FIRST_S", 0.5)
    log = a_log(5, 200)
    produce(kafka.bootstrap_servers, log, (0, 0.5))
    share = build()
    found = polls(share, lambda found: sum(len(each.events) for each in found) > 50)
    before = share._consumer.client
    before.pause([TopicPartition(*key) for key in log.all()])  # as far as its reader sees, it hangs
    produce(kafka.bootstrap_servers, log, (0.5, 1))
    found += polls(share, lambda more: covered(log)(found + more))
    assert share._consumer.client is not before
    records = sum(len(each.events) + len(each.dead) for each in found)
    assert records == sum(len(log.of(key)) for key in log.all()), "each record once"


def test_an_outage_ends_on_a_quiet_topic_too(kafka, build):
    """One of several brokers was gone for a moment: no record says that the others are enough, their answers do."""
    share = build(topic_check=0.1)
    _WAITS.clear()  # of other tests in this process
    share._outage.on_error(KafkaError(KafkaError._TRANSPORT))
    assert "waiting for Kafka" in [each.what for each in waits()]
    polls(share, lambda _: "waiting for Kafka" not in [each.what for each in waits()])


def test_a_question_for_topics_that_is_never_answered_is_asked_again(kafka, build, monkeypatch):
    """Reads pause until the brokers describe topics. An answer that is lost must not pause them for ever."""
    monkeypatch.setattr(topic_watch, "NO_ANSWER_WITHIN_S", 0.5)
    log = a_log(6, 200)
    share = build(poll_records=10)
    watch = share._topic_watch
    watch._answers = {name: Future() for name in share._known}
    watch._asked_at = time.monotonic()
    produce(kafka.bootstrap_servers, log)
    found = polls(share, covered(log))
    assert sum(len(each.events) + len(each.dead) for each in found) == sum(len(log.of(key)) for key in log.all())


def test_a_topic_that_has_changed_means_a_restart(kafka, build):
    share = build(topic_check=0.05)
    other = type(share._known["payments"])("payments", "another id", (0, 1))
    share._topic_watch._known = {**share._known, "payments": other}
    with pytest.raises(RestartNeeded, match="topic payments has changed: it has more partitions, or it was deleted"):
        polls(share, lambda found: False)


def test_the_brokers_are_asked_for_the_topics_that_brought_something_and_seldom_for_all(kafka, build, monkeypatch):
    """A question for every topic at each poll took a tenth of what the online process used at 50 events a second."""
    asked: list[list[str]] = []
    ask_for = Topics.ask_for

    def noted(topics, names):
        asked.append(names)
        return ask_for(topics, names)

    monkeypatch.setattr(Topics, "ask_for", noted)
    share = build(topic_check=2.0, idle_mark=3600)
    del asked[:]
    log = KafkaLog({"payments": PAYMENTS}, {"payments": 1}, {("payments", 0): a_log(9, 100).of(("payments", 0))})
    produce(kafka.bootstrap_servers, log)
    polls(share, covered(log, ("payments",)))
    while ["outcomes", "payments"] not in asked:
        share.next_batch()
    assert asked[0] == ["payments"]


@pytest.mark.parametrize("fails_after_s", [0.001, 2.0])
def test_while_topics_are_not_described_little_is_read_and_then_all_of_it(kafka, build, fails_after_s, monkeypatch):
    """Records come all the same: what is read of them is held, and that takes memory."""
    log = a_log(6, 500)
    produce(kafka.bootstrap_servers, log)
    share = build(poll_records=10)
    monkeypatch.setattr(topics, "_ANSWER_S", fails_after_s)
    watch, answering = share._topic_watch, share._topic_watch._topics
    watch._topics = nobody()
    for _ in range(50):
        assert share.next_batch() == []
    read = sum(partition.last + 1 for partition in share._partitions.values())
    assert 0 < read <= topic_watch._MOST_POLLS * 10
    monkeypatch.undo()  # on a busy machine brokers need more than a millisecond
    watch._topics = answering
    found = polls(share, covered(log))
    for key in log.all():
        own = [each for each in found if (each.topic, each.partition) == key]
        assert [each.after for each in own] == [-1, *(each.to for each in own[:-1])]


def test_while_topics_are_not_described_it_stops_when_it_is_asked_to(kafka, build, monkeypatch):
    produce(kafka.bootstrap_servers, a_log(7, 500))
    share = build(poll_records=10)
    share._topic_watch._topics = nobody()
    while not share._topic_watch.full:
        share.next_batch()
    monkeypatch.setattr(stopping._Stop, "requested", True)
    with pytest.raises(StopIteration):
        share.next_batch()


class Noted:
    """A consumer that notes how it is asked, and fails when it is asked for more after a first record."""

    def __init__(self, consumer, fails: bool = False) -> None:
        self._consumer, self._fails = consumer, fails
        self.asked: list[tuple[int, float]] = []

    def consume(self, records: int, within_s: float):
        self.asked.append((records, within_s))
        if records > 1 and self._fails:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return self._consumer.consume(records, within_s)

    def __getattr__(self, name: str):
        return getattr(self._consumer, name)


@pytest.mark.parametrize(
    ("workers", "gather", "within_s"),
    [(1, None, 0.1), (2, None, 0.01), (1, timedelta(seconds=0.5), 0.5), (2, timedelta(seconds=0.5), 0.01)],
)
def test_a_quiet_source_waits_for_its_first_record_alone_and_looks_up_seldom(build, workers, gather, within_s):
    """With several workers it looks more often: what the others send to its shards waits meanwhile."""
    share = build(worker=(0, workers), gather=gather)
    polls(share, lambda found: bool(found))  # the first marks: every end of a log was told
    share._consumer.client = noted = Noted(share._consumer.client)
    for _ in range(3):  # 1.5 s at most: the next marks are due after 2.5
        share.next_batch()
    assert noted.asked == [(1, within_s)] * 3


def test_the_records_before_a_failure_are_not_lost(kafka, build):
    log = a_log(8, 60)
    produce(kafka.bootstrap_servers, log)
    share = build()
    share._consumer.client = Noted(share._consumer.client, fails=True)
    found = polls(share, covered(log))
    assert sum(len(each.events) + len(each.dead) for each in found) == sum(len(log.of(key)) for key in log.all())


def test_asked_to_stop_it_ends(build, monkeypatch):
    share = build()
    monkeypatch.setattr(stopping._Stop, "requested", True)
    with pytest.raises(StopIteration):
        share.next_batch()
