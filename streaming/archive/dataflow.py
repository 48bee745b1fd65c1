"""The archive dataflow: Kafka to events tables and dead letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from prometheus_client import Counter

from shared_features.definitions import Catalogue, EventSource
from shared_features.formats.offline_tables import DEAD_LETTERS_TABLE, events_table
from shared_features.formats.prediction_log import SOURCE_NAME
from shared_features.kernel.event_time import to_us
from streaming.archive.archived_sources import archived_now
from streaming.archive.delta_sink import DeltaSink
from streaming.archive.expectations.checked_events import BuildChecks, CheckedEvents
from streaming.archive.expectations.expectation_metrics import ExpectationMetrics
from streaming.archive.expectations.source_checks import SourceChecks
from streaming.archive.gather import Gather
from streaming.archive.maintenance import Maintenance
from streaming.archive.marks import Marks
from streaming.archive.stored_log import Marked, StoredDeadLetters, StoredEvents, StoredLog
from streaming.archive.stored_predictions import StoredPredictions
from streaming.job.bytewax_run import run_dataflow
from streaming.job.clock import system_clock_us
from streaming.kafka.brokers.topics import PartitionKey, Topics
from streaming.kafka.records.polled import Polled, count_polled
from streaming.kafka.source import KafkaSource
from streaming.lake.log_positions import TopicKey
from streaming.lake.tables import DELTA, DeltaTables
from streaming.metrics import StreamingMetrics
from streaming.settings import StreamingSettings

_GATHER = timedelta(seconds=0.5)
"""Longest time that a poll gathers records. They wait for the next commit anyway."""
_MARKS_A_COMMIT = 4
"""A commit stores the newest mark of a quiet partition. Each mark costs a question to the brokers."""


def build_dataflow(settings: StreamingSettings, metrics: StreamingMetrics | None = None) -> Dataflow:
    """Input from Kafka, marks, one part per table, gathered, output to Delta."""
    metrics = metrics or StreamingMetrics(to_us(settings.allowed_lateness))
    stored = archived_now(settings, Topics(settings))
    topics = {(topic.name, topic.id): len(topic.partitions) for topic in stored.topics.values()}
    checks = partial(SourceChecks, every=settings.expectation_sample, metrics=ExpectationMetrics(metrics))
    tables = archive_tables(settings.lake, stored.catalogue, topics, build_checks=checks)
    marks = Marks(settings.topic_mode, to_us(settings.mark_slack), system_clock_us)
    flow = Dataflow("archive")
    held, counted = partial(held_positions, tables), partial(count_polled, metrics)
    gather = min(max(settings.archive_commit / 10, settings.poll_timeout), _GATHER)
    marked = max(settings.idle_mark, settings.archive_commit / _MARKS_A_COMMIT)
    source = KafkaSource(
        settings,
        stored.catalogue.sources,
        held,
        on_polled=counted,
        each_time=stored.look,
        gather=gather,
        mark_every=marked,
    )
    polled = op.input("kafka", flow, source)
    routed = op.flat_map("route", polled, partial(route, marks))
    every, records = settings.archive_commit, settings.archive_commit_records
    gathered = op.stateful_batch("gather", routed, lambda _: Gather(every, records))
    op.output("delta", gathered, DeltaSink(tables, raised_counter(metrics)))
    return flow


def run(settings: StreamingSettings, nightly: Callable[[], None] | None = None) -> int:
    """Run to the end; the exit code. nightly: what the lake's maintenance does besides, once a day."""
    metrics = StreamingMetrics(to_us(settings.allowed_lateness))
    if settings.metrics_port is not None:
        metrics.serve(settings.metrics_port)
    with Maintenance(settings.lake, settings.maintenance_interval, nightly):
        return run_dataflow(settings, partial(build_dataflow, metrics=metrics))


def raised_counter(metrics: StreamingMetrics) -> Callable[[str, int], None]:
    """Counts, by table, the events whose stamp lay below the running maximum of their partition."""
    counter = Counter(
        "streaming_raised_events",
        "Events stamped below an earlier record or a mark.",
        ["table"],
        registry=metrics.registry,
    )
    return lambda table, count: counter.labels(table).inc(count)


def archive_tables(
    lake: Path,
    catalogue: Catalogue,
    topics: Mapping[TopicKey, int],
    delta: DeltaTables = DELTA,
    build_checks: BuildChecks | None = None,
) -> dict[str, Callable[[], StoredLog]]:
    """How to open each table of the archive, by its name. build_checks: None where nobody looks for expectations."""
    tables: dict[str, Callable[[], StoredLog]] = {DEAD_LETTERS_TABLE: partial(StoredDeadLetters, lake, topics, delta)}
    for source in catalogue.sources:
        own = {topic: count for topic, count in topics.items() if topic[0] == source.topic}
        opened = partial(_events_table(source, build_checks), lake, source, own, delta)
        tables[events_table(source)] = opened
    return tables


def _events_table(source: EventSource, build_checks: BuildChecks | None) -> Callable[..., StoredLog]:
    if source.name == SOURCE_NAME:
        return StoredPredictions
    if source.expectations and build_checks is not None:
        return partial(CheckedEvents, build_checks=build_checks)
    return StoredEvents


def held_positions(tables: Mapping[str, Callable[[], StoredLog]]) -> dict[PartitionKey, int]:
    """The last offset per partition that every table holds: the smaller one of events and dead letters."""
    held: dict[PartitionKey, int] = {}
    for open_table in tables.values():
        for (topic, _, number), offset in open_table().held().items():
            held[topic, number] = min(offset, held.get((topic, number), offset))
    return held


def route(marks: Marks, polled: Polled) -> Iterator[tuple[str, Marked]]:
    """The batch for the events table of its source, and the part of it for the dead letters."""
    mark_us = marks.of(polled)
    yield events_table(polled.source), Marked(polled, mark_us)
    if not polled.dead:  # the table of dead letters only needs to know how far the events moved the running maximum
        nothing = polled.offsets[:0]
        polled = replace(polled, offsets=nothing, events=polled.events.take(nothing))
        mark_us = max(polled.record_time_us, -1 if mark_us is None else mark_us)
    yield DEAD_LETTERS_TABLE, Marked(polled, mark_us)
