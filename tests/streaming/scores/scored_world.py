"""What a view is scored from: states in Redis, a Kafka for the scores, a registry. No stream runs: a test moves it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import redis
from confluent_kafka import Consumer, KafkaError, TopicPartition

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from shared_features.definitions import load_definitions
from shared_features.formats.online_state import meta_key
from shared_features.formats.scored_event import ScoredEvent, decode_scored_event
from shared_features.formats.shard_meta import VectorEntry
from shared_features.formats.shard_meta_bytes import encode_meta
from shared_features.kernel.event_time import MINUTE_US, to_text
from streaming.kafka.brokers.topics import Topics, id_in_embedded_log
from streaming.kafka.records.polled import Polled
from streaming.metrics import StreamingMetrics
from streaming.scores.opened_view import ScoredView, scored_views
from streaming.scores.score_metrics import ScoreMetrics
from streaming.scores.view_scores import ViewScores
from streaming.settings import StreamingSettings, load_settings
from tests.domains.machines import BREAKDOWN, READINGS
from tests.serving.conftest import NOW_US
from tests.serving.stored_states import NAMESPACE, event_batch, shard_meta, stored_states
from tests.streaming.kafka_log import KafkaLog
from tests.streaming.kafka_log import Record as LogRecord

DEFINITIONS, LOG = "tests.domains.machines", "log"
PARTITIONS = (0, 1)
ALL = 1_000_000


def readings(count: int, late: int = 0) -> list[dict[str, Any]]:
    """Of a few machines within the last minute, in random order; the last ones are hours late."""
    chance = random.Random(5)
    return [
        {
            "reading": f"r{number}",
            "at": NOW_US - chance.randrange(MINUTE_US) - (180 * MINUTE_US if number >= count - late else 0),
            "plant": chance.choice(("north", "south")),
            "machine": chance.choice(("press|1", "press|2", "saw\\")),
            "celsius": chance.randrange(400, 900),
            "humidity": chance.choice((None, 250, 1_000)),
            "firmware": chance.choice((None, "2.0", "2.1")),
        }
        for number in range(count)
    ]


def instance(reading: Mapping[str, Any]) -> dict[str, Any]:
    """The event as a request of the endpoint names it."""
    told = {name: reading[name] for name in ("plant", "machine", "firmware")}
    humidity = reading["humidity"]
    return {
        **told,
        "at": to_text(reading["at"]),
        "celsius": reading["celsius"] / 10,
        "humidity": None if humidity is None else humidity / 1000,
    }


@dataclass
class ScoredWorld:
    """events: of each partition, those that have offsets 0, 1, ... in it. All of them are in the states."""

    kafka: KafkaSimulator
    store: RedisServer
    registry: Path
    topic: str
    events: Sequence[Sequence[dict[str, Any]]]
    metrics: StreamingMetrics = field(default_factory=lambda: StreamingMetrics(0))

    def __post_init__(self) -> None:
        self.kafka.create_topic(self.topic, len(PARTITIONS))
        self.measures = ScoreMetrics(self.metrics)
        self.client = redis.Redis.from_url(self.store.url)
        self.client.flushall()
        batch = event_batch(READINGS, [each for some in self.events for each in some])
        self.client.mset(stored_states(BREAKDOWN.groups, [batch]))
        self.applied(ALL)
        self._log = KafkaLog({READINGS.name: READINGS}, {READINGS.name: len(PARTITIONS)})
        for number, some in enumerate(self.events):
            self._log.of((READINGS.name, number)).extend(LogRecord(each["at"], each) for each in some)

    @property
    def settings(self) -> StreamingSettings:
        return load_settings(
            kafka_bootstrap_servers=self.kafka.bootstrap_servers,
            redis_url=self.store.url,
            redis_namespace=NAMESPACE,
            definitions=DEFINITIONS,
            registry=self.registry,
            topic_mode="embedded",
            embedded_log=LOG,
            score_topics={BREAKDOWN.name: self.topic},
            model_poll_s=0.000_001,
        )

    def applied(self, first: int, second: int | None = None) -> None:
        """Every shard has applied the partitions up to these offsets from now on."""
        topic_id, offsets = id_in_embedded_log(LOG, READINGS.topic), (first, first if second is None else second)
        vector = {(READINGS.topic, topic_id, at): VectorEntry(offset, NOW_US) for at, offset in enumerate(offsets)}
        for group in BREAKDOWN.groups:
            for number in range(group.shards):
                meta = shard_meta(group, number, vector=vector)
                self.client.set(meta_key(NAMESPACE, group, number), encode_meta(meta))

    def log_end(self, partition: int) -> int:
        """The last offset of the events' log."""
        of = READINGS.topic, partition
        return Topics(self.settings).bounds([of])[of].high - 1

    def view(self) -> ScoredView:
        (view,) = scored_views(self.settings, load_definitions(DEFINITIONS))
        assert view.model.current() is not None
        return view

    def open(self, meanwhile: Callable[[], None] = lambda: None) -> ViewScores:
        """As a process does that starts."""
        return self.view().open(self.measures, meanwhile)

    def polled(self, partition: int, after: int, to: int) -> Polled:
        found = self._log.poll((READINGS.name, partition), after, to)
        return replace(found, topic_id=id_in_embedded_log(LOG, READINGS.topic))

    def scores(self) -> list[ScoredEvent]:
        """All that a reader of committed records finds, in the order of each partition."""
        options = {"enable.partition.eof": True, "isolation.level": "read_committed", "fetch.wait.max.ms": 20}
        consumer = Consumer({"bootstrap.servers": self.kafka.bootstrap_servers, "group.id": "reader", **options})
        consumer.assign([TopicPartition(self.topic, number, 0) for number in PARTITIONS])
        found, ended = [], set[int]()
        while len(ended) < len(PARTITIONS):
            messages: list[Any] = consumer.consume(1_000, 0.1)
            for message in messages:
                if message.error() is None:
                    found.append(decode_scored_event(message.value()))
                    assert found[-1].partition == message.partition()
                else:
                    assert message.error().code() == KafkaError._PARTITION_EOF
                    ended.add(message.partition())
        consumer.close()
        return found
