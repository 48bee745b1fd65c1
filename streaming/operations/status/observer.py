"""Asks Kafka, Redis and the lake where every part stands. No program has to run for this."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from confluent_kafka import KafkaException
from deltalake.exceptions import DeltaError
from polars.exceptions import PolarsError
from redis.exceptions import RedisError

from shared_features.definitions import Catalogue, EventSource, FeatureGroup
from shared_features.formats.offline_tables import DEAD_LETTERS_TABLE, events_table
from shared_features.formats.shard_meta import Partition, ShardMeta
from shared_features.kernel.event_time import SECOND_US, to_us
from streaming.archive.archived_sources import counted
from streaming.errors import RefusedError
from streaming.job.clock import Clock, system_clock_us
from streaming.kafka.brokers.topics import Bounds, PartitionKey, Topic, Topics, partitions_of
from streaming.lake.look import EventCounts, LakeLook
from streaming.lake.stored_positions import NEVER
from streaming.online_store.server import GroupMetas, StoreServer
from streaming.operations.status.answer import (
    GroupStatus,
    LatenessBucket,
    PartitionStatus,
    ScoresStatus,
    SourceStatus,
    Status,
    WaitStatus,
)
from streaming.operations.status.kept_answers import KeptAnswers
from streaming.operations.status.positions import group_lag, online_positions, readers
from streaming.operations.status.shard import shard_status
from streaming.settings import StreamingSettings

_AWAY = (KafkaException, RedisError, RefusedError, DeltaError, PolarsError, OSError)
_SAID_AT_MOST = 160

Answer = TypeVar("Answer")


class StatusObserver:
    """Asks Kafka, Redis and the lake independently: if one is unavailable, the answers of the others still count."""

    def __init__(self, settings: StreamingSettings, clock_us: Clock = system_clock_us) -> None:
        self._catalogue: Catalogue = counted(settings)
        self._lateness_us = to_us(settings.allowed_lateness)
        self._kafka = Topics(settings, within_s=3.0)
        self._redis = StoreServer(settings, within_s=2.0)
        self._lake = LakeLook(settings.lake, keep=True)
        self._kept = KeptAnswers()
        self._clock_us = clock_us
        self._scored = settings.score_topics
        self._away: dict[str, str] = {}

    def observe(self) -> Status:
        """One look at everything."""
        self._away = {}
        self._lake.forget()
        nothing: dict[str, Topic] = {}
        names = {source.topic for source in self._catalogue.sources}
        topics = self._ask("Kafka", lambda: self._kafka.describe(names), nothing)
        unbounded: dict[PartitionKey, Bounds] = {}
        bounds = (
            self._ask("Kafka", lambda: self._kafka.bounds(partitions_of(topics.values())), unbounded)
            if topics
            else unbounded
        )
        metas = self._ask("Redis", lambda: self._redis.metas(self._catalogue.groups), None)
        dead = self._ask("lake", self._dead_letters, None)
        for name in sorted(names - set(topics)):
            if "Kafka" not in self._away:
                self._away[f"topic {name}"] = "does not exist"
        return Status(
            at_us=self._clock_us(),
            sources=[
                self._source(each, topics.get(each.topic), bounds, metas, dead) for each in self._catalogue.sources
            ],
            groups=[self._group(each, topics, bounds, metas) for each in self._catalogue.groups],
            waits=self._ask("Redis", self._waits, []),
            away=self._away,
            scores=[ScoresStatus(name, topic, self._unscored(name, bounds)) for name, topic in self._scored.items()],
        )

    def _unscored(self, view: str, bounds: Mapping[PartitionKey, Bounds]) -> int | None:
        """How many offsets of a view's events have no score yet."""
        nothing: dict[Partition, int] = {}
        scored = self._ask("Redis", lambda: self._redis.scored(view), nothing)
        logs = {of: bounds[of[0], of[2]] for of in scored if (of[0], of[2]) in bounds}
        return sum(max(0, log.high - max(scored[of] + 1, log.low)) for of, log in logs.items()) if logs else None

    def _waits(self) -> list[WaitStatus]:
        now_us = self._clock_us()
        return [
            WaitStatus(each.process, each.what, each.why, now_us - int(each.for_s * SECOND_US))
            for each in self._redis.waits()
        ]

    def _ask(self, part: str, question: Callable[[], Answer], otherwise: Answer) -> Answer:
        if part in self._away:
            return otherwise
        try:
            return question()
        except _AWAY as error:
            reason = error.args[0].str() if isinstance(error, KafkaException) else str(error)
            self._away[part] = " ".join(reason.split())[:_SAID_AT_MOST]
            return otherwise

    def _source(
        self,
        source: EventSource,
        topic: Topic | None,
        bounds: Mapping[PartitionKey, Bounds],
        metas: GroupMetas | None,
        dead: Mapping[str, Mapping[str, int]] | None,
    ) -> SourceStatus:
        groups = readers(self._catalogue.groups, source.topic)
        online = {} if topic is None or metas is None else online_positions(groups, metas, topic)
        unknown: dict[PartitionKey, int] = {}
        archived = (
            unknown if topic is None else self._ask("lake", lambda: self._lake.stored_offsets(source, topic), unknown)
        )
        counts = self._ask("lake", lambda: self._event_counts(source), EventCounts())
        reasons = {} if dead is None else dead.get(source.topic, {})
        partitions = []
        for number in () if topic is None else topic.partitions:
            log = bounds.get((source.topic, number))
            sinks = {"archive": archived.get((source.topic, number))}
            if groups:
                sinks = {"online": online.get((source.topic, number))} | sinks
            low, high = (None, None) if log is None else (log.low, log.high)
            partitions.append(PartitionStatus(number, low, high, sinks))
        return SourceStatus(
            source.name,
            source.topic,
            partitions,
            events=counts.events,
            late=counts.late,
            late_counted=counts.late_counted,
            duplicates=counts.duplicates,
            dead_letters=None if dead is None else sum(reasons.values()),
            dead_letter_reasons=dict(reasons),
            watermark_us=self._ask("lake", lambda: self._lake.watermark_us(source), None),
            lateness=[
                LatenessBucket(None if upto_us is None else upto_us / SECOND_US, events, self._is_late(upto_us))
                for upto_us, events in counts.lateness
            ],
        )

    def _event_counts(self, source: EventSource) -> EventCounts:
        """Archived events are counted at every look, late ones and duplicates as often as that may cost."""
        table = self._lake.table(events_table(source))
        if table is None:
            return EventCounts(0, 0, 0, 0)
        counts = self._kept.get(
            source.name,
            table.version(),
            lambda: self._lake.event_counts(source, self._lateness_us, self._windows(source)),
        )
        return replace(counts, events=int(table.count()))

    def _windows(self, source: EventSource) -> set[tuple[int, int]]:
        """All that its events count in. Of labels none: a label counts for its event, however old that is."""
        labels = [each for view in self._catalogue.views for each in view.label_sources]
        if any(each.source == source and each.later is None for each in labels):
            return set()
        groups = readers(self._catalogue.groups, source.topic)
        return {(each.length_us, each.hop_us) for group in groups for each in group.layout.features}

    def _dead_letters(self) -> Mapping[str, Mapping[str, int]]:
        table = self._lake.table(DEAD_LETTERS_TABLE)
        return self._kept.get(DEAD_LETTERS_TABLE, table and table.version(), self._lake.dead_letter_kinds)

    def _is_late(self, upto_us: int | None) -> bool:
        return upto_us is None or upto_us > self._lateness_us

    def _group(
        self,
        group: FeatureGroup,
        topics: Mapping[str, Topic],
        bounds: Mapping[PartitionKey, Bounds],
        metas: GroupMetas | None,
    ) -> GroupStatus:
        spines = [spine for each, spine in self._catalogue.spines if each == group]
        stored = () if metas is None else metas[group.label]
        live = [meta for meta in stored if meta is not None and not meta.behind]
        now_us = self._clock_us()
        return GroupStatus(
            group=group.label,
            shards=[shard_status(number, meta) for number, meta in enumerate(stored)],
            lag=None if metas is None else group_lag(group, topics, bounds, metas),
            freshness_s=_freshness_s(live, now_us) if len(live) == group.shards else None,
            committed_age_s=max(((now_us - meta.committed_at_us) / 1e6 for meta in live), default=None),
            cut_us={each.name: self._cut_us(group, each) for each in spines},
            feature_rows={each.name: self._feature_rows(group, each) for each in spines},
        )

    def _cut_us(self, group: FeatureGroup, spine: EventSource) -> int | None:
        return self._ask("lake", lambda: self._lake.cut_us(group, spine), None)

    def _feature_rows(self, group: FeatureGroup, spine: EventSource) -> int | None:
        return self._ask("lake", lambda: self._lake.feature_rows(group, spine), None)


def _freshness_s(metas: Iterable[ShardMeta], now_us: int) -> float | None:
    """Seconds between now and the record time up to which the slowest shard has consumed its slowest partition."""
    until = [position.consumed_until_us for meta in metas for position in meta.vector.values()]
    if not until or min(until) == NEVER:
        return None
    return max(0.0, (now_us - min(until)) / 1e6)
