"""An events table filled with the history, several times over with other entities, as the archive would leave it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from deploy.demo.traffic.cards.transactions import Transactions
from shared_features.definitions import EventSource
from shared_features.formats.events import EventBatch
from streaming.archive.stored_log import Marked, StoredEvents
from streaming.kafka.records.polled import Polled
from tests.bench.filled_redis import event_batches

TOPIC_ID = "bench"


def fill_lake(lake: Path, source: EventSource, rows: Transactions, copies: int) -> int:
    """Store the events of a source, one partition per copy; returns how many they are."""
    table = StoredEvents(lake, source, {(source.topic, TOPIC_ID): copies})
    stored = 0
    ends = dict.fromkeys(range(copies), -1)
    for batch in filter(len, event_batches(source, rows)):
        taken = []
        for copy in range(copies):
            moved = _moved(batch, copy)
            to = ends[copy] + len(moved)
            offsets = np.arange(ends[copy] + 1, to + 1)
            newest_us = int(moved.record_time_us.max())
            taken.append(
                Marked(
                    Polled(source.topic, TOPIC_ID, copy, source, ends[copy], to, moved, offsets, (), None, newest_us)
                )
            )
            ends[copy] = to
        stored += table.take(taken)
    return stored


def _moved(batch: EventBatch, copy: int) -> EventBatch:
    """The same events of other entities, under other ids."""
    integer = [field.name for field in batch.source.fields if field.name.endswith("_id")]
    more = {name: batch.columns[name] + copy * 10_000_000 for name in integer}
    return replace(batch, columns={**batch.columns, **more})
