"""A small world of a broker, an archive and materialize: seeded, with every trouble; and what its tables must hold."""

import random
from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from deltalake import DeltaTable

from shared_features.formats.offline_tables import features_table
from shared_features.kernel.event_time import DAY_US, SECOND_US
from streaming.archive.stored_log import Marked, StoredEvents
from streaming.errors import RestartNeeded
from streaming.lake.events_reader import EventsReader
from streaming.materialize.cut_source import Cut
from streaming.materialize.feature_sink import FeatureTable
from streaming.materialize.pass_step import PassRows
from streaming.materialize.passes import Passes
from streaming.materialize.spine_rows import SpineRows
from streaming.replay.snapshots import latest_snapshot
from streaming.replay.spine import Spine
from streaming.settings import load_settings
from tests import oracle
from tests.streaming.kafka_log import TOPIC_ID, KafkaLog, Record
from tests.streaming.small_domain import OUTCOMES, PAYER, PAYMENTS, SHOP_RISK, SHOP_USE
from tests.taken_events import entity_key, identity, rows_of, taken

S = SECOND_US
START = 10 * DAY_US
LATENESS = 12 * S
SOURCES = {"payments": PAYMENTS, "outcomes": OUTCOMES}
LONGEST, HOP = 60 * S, 10 * S


class World:
    """Times in whole seconds, so that everything meets: equal times, window edges, the allowed lateness."""

    def __init__(self, lake: Path, seed: int, lag_us: int = 0) -> None:
        self.r = random.Random(seed)
        self.settings = load_settings(lake=lake, allowed_lateness=timedelta(microseconds=LATENESS))
        self.lake = lake
        self.log = KafkaLog(dict(SOURCES), {"payments": 2, "outcomes": 1})
        self.spines = [Spine(group, PAYMENTS, LATENESS, lag_us) for group in (PAYER, SHOP_RISK, SHOP_USE)]

        self.now = START
        self.next_id = 0
        self.recent: list[tuple[str, dict[str, Any]]] = []
        self.seen: Counter[str] = Counter()
        self.archives = [self.open_archive()]
        self.materializers: dict[str, list[Materializer]] = {each.label: [] for each in self.spines}

    def open_archive(self) -> dict[str, StoredEvents]:
        return {
            name: StoredEvents(self.lake, source, {(source.topic, TOPIC_ID): self.log.partitions[name]})
            for name, source in SOURCES.items()
        }

    def produce(self) -> None:
        r = self.r
        self.now += r.choice((0, 0, 1, 1, 2)) * S
        name, number = r.choice(self.log.all())
        stamp = self.now + r.choice((0, 0, 0, -3, 3)) * S
        fresh = [event for source, event in self.recent if source == name]
        if fresh and r.random() < 0.12:
            event = dict(r.choice(fresh))
            if r.random() < 0.2 and "amount" in event:
                event["amount"] += 1  # the same id with another content
            self.seen["again"] += 1
        else:
            lateness = ((0, 2),) * 6 + ((0, 12),) * 2 + ((13, 75), (-6, -1))
            ago = r.randint(*r.choice(lateness))
            self.next_id += 1
            event = {"id": self.next_id, "event_time": stamp - ago * S, "shop": f"s|{r.randrange(3)}"}
            if name == "payments":
                event |= {"payer": r.randrange(4), "amount": r.randrange(1, 9999), "note": r.choice((None, "a", "b"))}
            else:
                event["bad"] = r.randrange(2)
            self.recent = [*self.recent, (name, event)][-12:]
        if event["event_time"] > stamp + 6 * S:  # polling would make it a dead letter
            return
        self.log.of((name, number)).append(Record(stamp, event))

    def archive(self) -> None:
        r = self.r
        if r.random() < 0.1:
            self.archives = [*self.archives, self.open_archive()][-2:]
        owner = r.choice(self.archives)
        for name, table in owner.items():
            batches = []
            for key in self.log.all():
                if key[0] == name:
                    held = table.positions.offsets.get((SOURCES[name].topic, TOPIC_ID, key[1]), -1)
                    end = len(self.log.of(key)) - 1
                    to = max(held, min(end, held + r.randrange(25)))
                    idle = to == end and r.random() < 0.5
                    batches.append(Marked(self.log.poll(key, held, to), self.now - 2 * S if idle else None))
            try:
                table.take(batches)
            except RestartNeeded:
                self.seen["archive fenced"] += 1
                self.archives = [self.open_archive()]
                return

    def materialize(self, spine: Spine) -> None:
        owners = self.materializers[spine.label]
        if not owners or self.r.random() < 0.15:
            self.seen["materialize restarted"] += 1
            owners[:] = [*owners, Materializer(self, spine)][-2:]
        owner = self.r.choice(owners)
        try:
            owner.step(self.r.random() < 0.3, self.r.random())
        except RestartNeeded:
            self.seen["materialize fenced"] += 1
            owners.remove(owner)

    def settle(self) -> None:
        """Everything stored, and the watermark far beyond."""
        self.now += 500 * S
        for name, table in self.open_archive().items():
            batches = []
            for key in self.log.all():
                if key[0] == name:
                    held = table.positions.offsets.get((SOURCES[name].topic, TOPIC_ID, key[1]), -1)
                    batches.append(Marked(self.log.poll(key, held), self.now))
            table.take(batches)
        for spine in self.spines:
            Materializer(self, spine).step(snapshot=True)

    def check(self) -> None:
        """Events equal the log, and every feature row equals the oracle over the stored events."""
        stored = {name: read_events(self.lake, source) for name, source in SOURCES.items()}
        for name, count in self.log.partitions.items():
            positions = sorted(zip(stored[name].partition.tolist(), stored[name].offset.tolist(), strict=True))
            wanted = [(n, o) for n in range(count) for o in range(len(self.log.of((name, n))))]
            assert positions == wanted
        for spine in self.spines:
            check_rows(self.lake, spine, stored)


class Materializer:
    """One owner of a spine: the parts of the dataflow without Bytewax between them."""

    def __init__(self, world: World, spine: Spine) -> None:
        self.spine = spine
        self.tables = {source.name: EventsReader(world.lake, source) for source in spine.sources}
        self.sink = FeatureTable(world.settings, spine)
        self.stored = self.sink._handle.position("cut")
        at = max(self.stored, 0)
        found = latest_snapshot(world.lake, spine.group, spine.source, spine.fingerprint, at - spine.lateness_us)
        world.seen["from a snapshot"] += found is not None
        self.passes = Passes(spine, self.tables, at, found)

    def step(self, snapshot: bool = False, share: float = 1.0) -> None:
        begin = self.passes.cut_us
        end = min(table.refresh() for table in self.tables.values())
        base = max(begin, START)
        end = base + int((end - base) * share) if share < 0.5 else end
        if end <= begin:
            return
        cut = Cut(self.spine.label, self.stored, end)
        rows = self.passes.run(end)
        states = self.passes.snapshot() if snapshot else None
        self.sink.write_batch([PassRows(cut, rows, states, self.passes.effects_us)])
        self.stored = end


def read_events(lake: Path, source: Any) -> Any:
    table = EventsReader(lake, source)
    table.refresh()
    return table.where(-(2**62), 2**62)


def check_rows(lake: Path, spine: Spine, stored: dict[str, Any]) -> None:
    group = spine.group
    found = DeltaTable(lake / features_table(group, spine.source)).to_pyarrow_table().to_pylist()
    rows = {(row["kafka_partition"], row["kafka_offset"]): row for row in found}
    assert len(rows) == len(found), "a row twice"
    reads = SpineRows.of(group, stored[spine.source.name])
    assert len(rows) == len(reads), "a row lost"
    updates: dict[str, list[tuple[int, oracle.Event]]] = defaultdict(list)
    for source in group.sources:
        arrived = stored[source.name]
        for row, of, event in taken(group, source, rows_of(arrived.batch)):
            effect_us = max(int(arrived.arrival_us[row]) + spine.lag_us, event.event_time_us + 1)
            updates[of].append((effect_us, event))
    events = rows_of(stored[spine.source.name].batch)
    met: set[tuple[Any, ...]] = set()
    order = sorted(range(len(reads)), key=lambda i: (reads.arrival_us[i], reads.partition[i], reads.offset[i]))
    for index in order:
        row = rows[int(reads.partition[index]), int(reads.offset[index])]
        at, arrival = int(reads.event_time_us[index]), int(reads.arrival_us[index])
        named = identity(spine.source, events[index])
        assert row["copy"] == (named in met)
        met.add(named)
        assert row["late"] == (arrival - at > spine.lateness_us)
        assert (row["event_time_us"], row["arrival_time_us"]) == (at, arrival)
        of = entity_key(group, events[index])
        assert row["entity_key"] == of
        seen = [event for effect, event in updates[of] if effect <= at]
        for feature, spec in zip(group.features, group.layout.features, strict=True):
            wanted = oracle.value(group.layout, spec, seen, at)
            assert np.float64(row[feature.name]).tobytes() == np.float64(wanted).tobytes() or (
                np.isnan(wanted) and np.isnan(row[feature.name])
            ), (row, feature.name, wanted)
