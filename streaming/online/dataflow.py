"""The online dataflow: Kafka, routed to shards, written to Redis. Wiring only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from shared_features.definitions import EventSource, FeatureGroup, load_definitions
from shared_features.formats.online_state import definition_key, entity_prefix
from shared_features.kernel.event_time import to_us
from streaming.job.bytewax_run import run_dataflow
from streaming.job.clock import system_clock_us
from streaming.kafka.records.polled import count_polled
from streaming.kafka.source import KafkaSource
from streaming.metrics import StreamingMetrics
from streaming.online.absent_shard import AbsentShard
from streaming.online.entity_cache import EntityCache
from streaming.online.missing_records import MissingRecords
from streaming.online.redis_sink import RedisSink, ShardSet
from streaming.online.router import Router
from streaming.online.shard import Shard, refuse_other_meaning
from streaming.online_store.lease import Lease, job_name
from streaming.online_store.link import RedisLink
from streaming.online_store.redis_outage import RedisOutage
from streaming.online_store.shard_store import ShardStore, shard_label
from streaming.online_store.shared_link import SharedLink
from streaming.online_store.stored_vectors import committed_positions, wait_until_live
from streaming.settings import StreamingSettings

_ALL = "all shards"


def build_dataflow(settings: StreamingSettings, metrics: StreamingMetrics | None = None) -> Dataflow:
    """Input from Kafka, one item per shard and poll, output to Redis. Waits for the lease and for a live shard."""
    metrics = metrics or StreamingMetrics(to_us(settings.allowed_lateness))
    groups = load_definitions(settings.definitions).groups
    lease = Lease(RedisLink(settings), settings.redis_namespace, "online", job_name(settings))
    lease.take()
    wait_until_live(settings, groups, lease.keep)
    source = KafkaSource(
        settings,
        sources_of(groups),
        partial(committed_positions, settings, groups),
        on_polled=partial(count_polled, metrics),
        each_time=lease.keep,
    )
    flow = Dataflow("online")
    polled = op.input("kafka", flow, source)
    router, sink = Router(groups, to_us(settings.mark_slack)), redis_sink(settings, groups, metrics)
    routed = op.flat_map_batch("route", polled, lambda some: sink.addressed(router(some)))
    op.output("redis", routed, sink)
    return flow


def run(settings: StreamingSettings) -> int:
    """Run to the end. Returns the exit code."""
    metrics = StreamingMetrics(to_us(settings.allowed_lateness))
    if settings.metrics_port is not None:
        metrics.serve(settings.metrics_port)
    return run_dataflow(settings, partial(build_dataflow, metrics=metrics))


def sources_of(groups: Iterable[FeatureGroup]) -> tuple[EventSource, ...]:
    """The sources that update any of the groups, by name."""
    found = {source.name: source for group in groups for source in group.sources}
    return tuple(found[name] for name in sorted(found))


def redis_sink(settings: StreamingSettings, groups: Iterable[FeatureGroup], metrics: StreamingMetrics) -> RedisSink:
    """The sink over all shards of the groups."""
    groups = tuple(groups)
    outage = RedisOutage()
    missing = MissingRecords(settings.lake, sources_of(groups))
    shards = {shard_label(group, number): (group, number) for group in groups for number in range(group.shards)}

    def build_shard(label: str, cache: EntityCache, link: RedisLink) -> Shard | AbsentShard:
        group, number = shards[label]
        store = ShardStore.of(link, settings.redis_namespace, group, number)
        meta = store.read_meta()
        if meta is None or meta.behind:
            return AbsentShard(label, store)
        refuse_other_meaning(group, meta, lambda: link.call("GET", definition_key(settings.redis_namespace, group)))
        return Shard(
            group,
            label,
            store=store,
            meta=meta,
            entity_prefix=entity_prefix(settings.redis_namespace, group, number),
            cache=cache,
            missing=missing,
            metrics=metrics,
            clock=system_clock_us,
            idle_commit_s=settings.idle_commit.total_seconds(),
        )

    def build_shards(labels: Sequence[str]) -> ShardSet:
        of_group = Counter(shards[label][0] for label in labels)
        caches = {each.label: EntityCache(each.layout, n * settings.cached_entities) for each, n in of_group.items()}
        shared = SharedLink(RedisLink(settings, outage))
        built = {label: build_shard(label, caches[shards[label][0].label], shared.lane()) for label in labels}
        return ShardSet(built, shared.flush)

    return RedisSink(parts_of(groups, together=len(settings.workers) < 2), build_shards)


def parts_of(groups: Iterable[FeatureGroup], *, together: bool) -> dict[str, list[str]]:
    """The labels of the shards that are written together, by the name of their part."""
    labels = [shard_label(group, number) for group in groups for number in range(group.shards)]
    return {_ALL: labels} if together else {label: [label] for label in labels}
