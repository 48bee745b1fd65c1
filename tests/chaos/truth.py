"""The end of a seed: no fault any more, no traffic, no lag; then everything is compared."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from deltalake import DeltaTable

from shared_features.formats import offline_tables
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta_bytes import decode_meta
from tests.chaos.world import LATENESS_S, World
from tests.end_to_end.archived_truth import check_log, recorded_gaps, stored_events
from tests.end_to_end.feature_row_truth import check_feature_rows
from tests.end_to_end.online_truth import check_online

REST_WITHIN_S = 400.0
_LOOK_EVERY_S = 0.15


def wait_for_rest(world: World) -> None:
    """Everything that the log holds is in both stores, and every event that counts has its row."""
    world.ground.be_good()
    world.traffic.stop()
    world.asker.stop()
    world.log()
    ends = last_offsets(world)
    until(world, lambda: behind(world, ends))
    latest_us = 0
    for source in world.catalogue.sources:
        stored = stored_events(world.job.lake, source)
        latest_us = max([latest_us, *stored.arrival_us, *stored.batch.event_time_us.tolist()])
    until(world, lambda: cut_behind(world, latest_us + LATENESS_S * 1_000_000 + 1))


def last_offsets(world: World) -> dict[tuple[str, int], int]:
    """Of every partition that ever held a record, as of the last look at the log."""
    ends: dict[tuple[str, int], int] = {}
    for topic, number, offset in world.kept:
        ends[topic, number] = max(offset, ends.get((topic, number), -1))
    return ends


def behind(world: World, ends: dict[tuple[str, int], int]) -> str | None:
    """What is missing until the lag is zero, None when nothing is."""
    positions = world.positions()
    for sink in ("online", "archive"):
        for place, end in ends.items():
            if positions.get(sink, {}).get(place, -1) < end:
                return f"{sink} holds {place} up to {positions.get(sink, {}).get(place)}, the log ends at {end}"
    with world.redis() as client:
        for group in world.catalogue.groups:
            for shard in range(group.shards):
                meta: Any = client.get(meta_key(world.job.namespace, group, shard))
                if meta is None or decode_meta(meta).behind:
                    return f"shard {group.label}:{shard} is {'absent' if meta is None else 'behind'}"
    return next((f"shard {label}: {each.reason}" for label, each in world.verdicts().items() if each.reason), None)


def cut_behind(world: World, cut_us: int) -> str | None:
    found_us = world.job.cut_us()
    return None if found_us >= cut_us else f"the cut is {(cut_us - found_us) / 1e6:.3f} s behind the last event"


def until(world: World, lacks: Any) -> None:
    deadline = time.monotonic() + REST_WITHIN_S
    while (lacking := lacks()) is not None:
        child = world.instances.current.child
        if not child.running:
            raise AssertionError(f"the job ended with {child.exit_code}: {child.last_words(20)}")
        if time.monotonic() > deadline:
            raise AssertionError(f"no rest within {REST_WITHIN_S:g} s: {lacking}\n{child.last_words(30)}")
        time.sleep(_LOOK_EVERY_S)


def now_us() -> int:
    return time.time_ns() // 1000


def check_truth(world: World, clock_us: Callable[[], int] = now_us) -> Counter[str]:
    """PROTOCOL's "correct", and what the stores say of themselves. Returns how much of what was compared. clock_us: by
    which keys expire in Redis.
    """
    counts: Counter[str] = Counter()
    log, ids, lake = world.kept, world.topic_ids(), world.job.lake
    counts["dead letters"] = check_log(lake, world.catalogue, log, deleted=world.deleted, ids=ids)
    counts["records"] = len(log)
    check_positions(world, ids)
    counts["lost"] = len(lost(world, ids))
    counts["answers"] = world.asker.check(lake, lost(world, ids))
    counts.update({f"asked: {what}": count for what, count in world.asker.counts.items()})
    with world.redis() as client:
        for group in world.catalogue.groups:
            counts["entities"] += check_online(client, world.job.namespace, lake, group, clock_us=clock_us)
            check_vectors(world, client, group, ids)
    up_to_us = world.job.cut_us() - LATENESS_S * 1_000_000
    for group, spine in world.catalogue.spines:
        counts["feature rows"] += check_feature_rows(lake, group, spine, up_to_us=up_to_us)
        check_cut(world, group, spine)
    return counts


def lost(world: World, ids: dict[str, str]) -> set[tuple[str, int, int]]:
    """The positions that the events tables lack because they were gone."""
    gaps: set[tuple[str, int, int]] = set()
    for source in world.catalogue.sources:
        gaps |= recorded_gaps(world.job.lake, offline_tables.events_table(source), partitions(world, ids, source.topic))
    return gaps


def partitions(world: World, ids: dict[str, str], topic: str) -> list[tuple[str, str, int]]:
    """(topic, its id, number) of each that ever held a record."""
    return [(topic, ids[topic], number) for name, number in sorted(last_offsets(world)) if name == topic]


def check_positions(world: World, ids: dict[str, str]) -> None:
    """Every table of the archive stands at the end of the log, and its watermark is its smallest running maximum."""
    ends = last_offsets(world)
    for source in world.catalogue.sources:
        for name in (offline_tables.events_table(source), offline_tables.DEAD_LETTERS_TABLE):
            stored = DeltaTable(world.job.lake / name).transaction_version
            for topic, topic_id, number in partitions(world, ids, source.topic):
                offset = stored(offline_tables.offset_app(topic, topic_id, number))
                assert offset == ends[topic, number], f"{name} stands at {offset} of {topic}/{number}, {ends}"


def check_vectors(world: World, client: Any, group: Any, ids: dict[str, str]) -> None:
    """Every shard stands at the end of the log, and lacks what the archive lacks."""
    ends = last_offsets(world)
    gaps = set()
    for source in group.sources:
        gaps |= recorded_gaps(world.job.lake, offline_tables.events_table(source), partitions(world, ids, source.topic))
    for shard in range(group.shards):
        meta = decode_meta(client.get(meta_key(world.job.namespace, group, shard)))
        for source in group.sources:
            for of in partitions(world, ids, source.topic):
                position = meta.vector.get(of)
                wanted = ends[of[0], of[2]]
                assert position is not None and position.offset == wanted, f"{group.label}:{shard} {of}: {position}"  # noqa: PT018
        own = {(of[0], of[2], offset) for of, first, past in meta.gaps for offset in range(first, past)}
        assert own == gaps, f"{group.label}:{shard} says that {len(own)} records were gone, the archive {len(gaps)}"


def check_cut(world: World, group: Any, spine: Any) -> None:
    """Feature rows lie below their cut, and the cut at or below the watermarks of what they were made of."""
    table = DeltaTable(world.job.lake / offline_tables.features_table(group, spine))
    cut_us = table.transaction_version(offline_tables.CUT_APP) or 0
    for source in {*group.sources, spine}:
        events = DeltaTable(world.job.lake / offline_tables.events_table(source))
        watermark_us = events.transaction_version(offline_tables.WATERMARK_APP) or 0
        assert cut_us <= watermark_us, f"{table} was cut at {cut_us}, {source.name} is complete to {watermark_us}"
    rows = table.to_pyarrow_dataset().to_table(columns=["event_time_us", offline_tables.ARRIVAL_TIME, "late"])
    columns = (rows.column(name).to_pylist() for name in rows.column_names)
    for event_time_us, arrival_us, late in zip(*columns, strict=True):
        assert late == (arrival_us - event_time_us > LATENESS_S * 1_000_000)
        before = arrival_us < cut_us if late else event_time_us < cut_us - LATENESS_S * 1_000_000
        assert before, f"{group.label}: a row of {event_time_us}, arrived {arrival_us}, lies beyond the cut {cut_us}"
