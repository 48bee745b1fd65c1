"""What must hold of feature rows when a stream job has come to rest: they equal the oracle over the stored events."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from pathlib import Path

import polars as pl

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats import offline_tables
from tests import oracle
from tests.end_to_end.archived_truth import stored_events
from tests.end_to_end.stored_taken_events import assert_same, taken_events
from tests.taken_events import entity_key, rows_of


def check_feature_rows(
    lake: Path, group: FeatureGroup, spine: EventSource, *, up_to_us: int, sample: int = 10**9
) -> int:
    """One row per stored spine event before the cut, each as the oracle has it. Returns how many rows there are."""
    updates: dict[str, list[tuple[int, oracle.Event]]] = defaultdict(list)
    for source in group.sources:
        stored = stored_events(lake, source)
        seen = taken_events(group, stored)
        for row, text, event in zip(seen.rows, seen.texts, seen.events, strict=True):
            updates[text].append((max(stored.arrival_us[row], event.event_time_us + 1), event))
    events = stored_events(lake, spine)
    texts = [entity_key(group, row) for row in rows_of(events.batch)]
    wanted = {
        position: (text, time_us)
        for position, text, time_us, arrival in zip(
            events.positions, texts, events.batch.event_time_us.tolist(), events.arrival_us, strict=True
        )
        if max(time_us, arrival) < up_to_us
    }
    table = pl.read_delta(str(lake / offline_tables.features_table(group, spine)))
    found = table.select(offline_tables.PARTITION, offline_tables.OFFSET).rows()
    assert len(found) == len(set(found)), "a feature row is stored twice"
    missing = wanted.keys() - set(found)
    assert not missing, f"{len(missing)} of {len(wanted)} feature rows are missing: {sorted(missing)[:5]}"
    names = [feature.name for feature in group.features]
    keys = table["entity_key"].cast(pl.String).to_list()
    by_position = dict(zip(events.positions, zip(texts, events.batch.event_time_us.tolist(), strict=True), strict=True))
    step = max(1, len(found) // sample)
    for of_entity in updates.values():
        of_entity.sort(key=lambda each: each[1].event_time_us)
    times = {text: [event.event_time_us for _, event in of_entity] for text, of_entity in updates.items()}
    for row, values in enumerate(table.select(names).iter_rows()):
        if row % step:
            continue
        text, at = by_position[found[row]]
        assert keys[row] == text
        some, of_entity = times.get(text, []), updates[text]
        for feature, value in zip(group.layout.features, values, strict=True):
            # The oracle would pass over all others, slowly.
            first = bisect_left(some, at - feature.length_us - feature.hop_us)
            visible = [event for effect, event in of_entity[first : bisect_left(some, at)] if effect <= at]
            wanted_value = oracle.value(group.layout, feature, visible, at)
            assert_same(value, wanted_value, f"{group.label}.{feature.name} {text} {at}")
    return len(found)
