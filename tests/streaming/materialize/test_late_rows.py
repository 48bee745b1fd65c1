"""What late rows ask of the events table: names as they are, and no more of it at once than there are such rows."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from shared_features.definitions import (
    Aggregate,
    Entity,
    EventSource,
    FeatureGroup,
    Field,
    Integer,
    Text,
    Timestamp,
    Window,
)
from shared_features.kernel.aggregations import Count
from shared_features.kernel.event_time import SECOND_US, seconds
from streaming.archive.stored_log import Marked, StoredEvents
from streaming.lake import events_reader
from streaming.lake.event_rows import EventRows
from streaming.lake.events_reader import EventsReader
from streaming.lake.scan import scanned
from streaming.materialize import late_rows
from streaming.materialize.late_rows import late_copies
from streaming.materialize.passes import Passes
from streaming.materialize.spine_rows import SpineRows
from streaming.replay.spine import Spine
from tests.streaming.kafka_log import TOPIC_ID, KafkaLog, Record

S = SECOND_US
START = 10 * 24 * 3600 * S
MINUTE = Window(seconds(60), seconds(10))


def a_source(event_time: str = "event_time", key: str = "payer") -> EventSource:
    return EventSource(
        name="p",
        topic="p",
        fields=(
            Field("id", Integer(low=0)),
            Field(event_time, Timestamp()),
            Field(key, Integer(low=0)),
            Field("note", Text(max_length=9)),
        ),
        event_id="id",
        event_time=event_time,
        tolerated_future=seconds(6),
    )


def a_group(
    source: EventSource, name: str = "g", window: Window = MINUTE, keys: tuple[str, ...] | None = None
) -> FeatureGroup:
    aggregates = (Aggregate(None, Count(), (window,)),)
    entity = Entity("e", keys=keys or (source.fields[2].name,))
    return FeatureGroup(name=name, version=1, entity=entity, sources=(source,), aggregates=aggregates)


def stored(lake: Path, source: EventSource, *runs: Sequence[tuple[int, int]]) -> EventsReader:
    """The events table of records given as (record time, event time), committed run by run."""
    log = KafkaLog({"p": source}, {"p": 1})
    table = StoredEvents(lake, source, {("p", TOPIC_ID): 1})
    _, event_time, key, _ = (field.name for field in source.fields)
    for run in runs:
        records = log.of(("p", 0))
        held = len(records) - 1
        for at_us, time_us in run:
            event: dict[str, Any] = {
                "id": len(records),
                event_time: time_us,
                key: len(records) % 3,
                "note": f"o'{len(records) % 2}|",
            }
            records.append(Record(at_us, event))
        table.take([Marked(log.poll(("p", 0), held), run[-1][0])])
    events = EventsReader(lake, source)
    events.refresh()
    return events


@pytest.mark.parametrize(
    ("event_time", "key"), [("interval", "payer"), ("event_time", "interval"), ("date", "case"), ("select", "eventBy")]
)
def test_a_column_may_be_named_like_a_word_of_sql(tmp_path: Path, event_time: str, key: str) -> None:
    """`interval >= 5` is no comparison: the pass failed as if the lake were away, and was waited for, for ever."""
    source = a_source(event_time, key)
    in_time = [(START + number * S, START + number * S) for number in range(100)]
    table = stored(tmp_path, source, in_time, [(START + 101 * S, START + 5 * S), (START + 500 * S, START + 500 * S)])
    passes = Passes(Spine(a_group(source), source, 12 * S), {"p": table}, 0)
    assert passes.run(START + 60 * S).num_rows + passes.run(START + 500 * S).num_rows == 101


def test_copies_are_looked_for_without_loading_what_lies_between_their_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_rows, "LISTED", 10)
    source, end_us = a_source(), START + 5000 * S
    in_time = [(START + number * S, START + number * S) for number in range(5000)]
    late = [(end_us + number, START + number * 100 * S) for number in range(50)]  # ids differ: none is a copy
    table = stored(tmp_path, source, in_time, late)
    rows = SpineRows.of(a_group(source), table.where(end_us, end_us + 50))
    taken: list[int] = []
    of = EventRows.of.__func__  # type: ignore[attr-defined]  # of a class method

    def noted(cls: type[EventRows], source: EventSource, found: pa.Table) -> Any:
        taken.append(found.num_rows)
        return of(cls, source, found)

    monkeypatch.setattr(EventRows, "of", classmethod(noted))
    assert len(rows) == 50
    assert not late_copies(a_group(source), table, rows).any()
    assert sum(taken) == 100, "the late ones, and those that came at their times before"


def test_late_rows_of_any_lateness_and_of_all_groups_cost_two_scans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan reads days of the table. There was one for each hour in which late events had happened, and per group."""
    source, hour, end_us = a_source(), 3600 * S, START + 40 * 3600 * S
    in_time = [(START + number * hour, START + number * hour) for number in range(40)]
    late = [(end_us + number, START + number * 3 * hour) for number in range(10)]
    table = stored(tmp_path, source, in_time, late, [(end_us + hour, end_us + hour)])
    scans = noted_scans(monkeypatch)
    window = Window(seconds(86_400), seconds(3600))
    for name, rows, wanted in (("g", 10, 3), ("h", 10, 0)):
        passes = Passes(Spine(a_group(source, name, window), source, 12 * S), {"p": table}, end_us)
        scans.clear()
        assert passes.run(end_us + 10 * S).num_rows == rows
        assert len(scans) == wanted, "the events of the pass, those before the late ones, and those of their times"


def noted_scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The conditions of the scans from now on."""
    scans: list[str] = []
    scan = scanned

    def noted(table: DeltaTable, columns: Sequence[str], predicate: str) -> Iterator[pa.RecordBatch]:
        scans.append(predicate)
        return scan(table, columns, predicate)

    monkeypatch.setattr(events_reader, "scanned", noted)
    return scans


@pytest.mark.parametrize(("keys", "loaded"), [(("payer",), 67), (("note",), 101), (("note", "payer"), 34)])
def test_of_the_days_before_a_late_event_only_those_of_its_entity_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...], loaded: int
) -> None:
    """A key of text, or of several fields, was looked for among all events, after they had been loaded."""
    source, end_us = a_source(), START + 400 * S
    in_time = [(START + number * S, START + number * S) for number in range(300)]
    table = stored(tmp_path, source, in_time, [(end_us, START + 200 * S)], [(end_us + 60 * S, end_us + 60 * S)])
    group = a_group(source, window=Window(seconds(86_400), seconds(3600)), keys=keys)
    passes = Passes(Spine(group, source, 12 * S), {"p": table}, end_us)
    taken: list[int] = []
    of = EventRows.of.__func__  # type: ignore[attr-defined]  # of a class method

    def noted(cls: type[EventRows], source: EventSource, found: pa.Table) -> Any:
        taken.append(found.num_rows)
        return of(cls, source, found)

    monkeypatch.setattr(EventRows, "of", classmethod(noted))
    rows = passes.run(end_us + 10 * S)
    others = 1 + 2  # the events of the pass; the late one, and the one of its time
    assert sum(taken) == others + loaded
    assert rows["count_1d"].to_pylist() == [len([n for n in range(200) if same_entity(n, 300, keys)])]


def same_entity(one: int, other: int, keys: tuple[str, ...]) -> bool:
    """By the numbers of their records, see `stored`."""
    return all(one % {"payer": 3, "note": 2}[key] == other % {"payer": 3, "note": 2}[key] for key in keys)


def test_late_events_of_an_entity_of_which_none_came_since_are_read_from_its_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that was offline sends what happened meanwhile. No event of the window before is read again."""
    source, end_us = a_source(), START + 400 * S
    in_time = [(START + number * S, START + number * S) for number in range(30)]
    late = [(end_us + number, START + (100 + number) * S) for number in range(6)]
    table = stored(tmp_path, source, in_time, late, [(end_us + 60 * S, end_us + 60 * S)])
    window = Window(seconds(86_400), seconds(3600))
    passes = Passes(Spine(a_group(source, window=window), source, 12 * S), {"p": table}, end_us)
    scans = noted_scans(monkeypatch)
    rows = passes.run(end_us + 10 * S)
    assert rows["count_1d"].to_pylist() == [10.0] * 6, "the others of the six came later, so no row has them"
    assert len(scans) == 2, "the events of the pass, and those of the times of its late events"
