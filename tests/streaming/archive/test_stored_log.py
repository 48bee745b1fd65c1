import random
from dataclasses import replace
from datetime import timedelta

import pytest
from deltalake import DeltaTable

from shared_features.definitions import Decimal
from shared_features.formats.offline_tables import arrival_app, gap_app, gaps_app, offset_app
from streaming.archive.stored_log import Marked, StoredDeadLetters, StoredEvents
from streaming.errors import RefusedError, RestartNeeded
from streaming.lake.compaction import tend
from streaming.lake.events_reader import EventsReader
from streaming.lake.events_table import event_batch
from streaming.lake.log_positions import LogPositions
from tests.depth import seeds
from tests.streaming.kafka_log import TOPIC_ID, KafkaLog, Record
from tests.streaming.small_domain import OUTCOMES, PAYMENTS

ZERO, ONE = ("payments", 0), ("payments", 1)


@pytest.fixture
def log():
    return KafkaLog({"payments": PAYMENTS, "outcomes": OUTCOMES}, {"payments": 2, "outcomes": 1})


def payment(number, at_us, **more):
    return {"id": number, "event_time": at_us, "payer": number % 3, "shop": "é|" * (number % 4), "amount": 5, **more}


def put(log, key, *times_us):
    for time_us in times_us:
        log.of(key).append(Record(time_us, payment(len(log.of(key)), time_us)))


def stored(table):
    rows = DeltaTable(table.handle.path).to_pyarrow_table()
    return rows.sort_by([("kafka_partition", "ascending"), ("kafka_offset", "ascending")])


def events(tmp_path, log):
    return StoredEvents(tmp_path, PAYMENTS, {("payments", TOPIC_ID): log.partitions["payments"]})


def test_arrival_never_runs_backwards_along_a_partition_not_even_over_a_restart(tmp_path, log):
    put(log, ZERO, 10, 30, 20, 25, 40)
    events(tmp_path, log).take([Marked(log.poll(ZERO, -1, 1))])
    table = events(tmp_path, log)
    table.take([Marked(log.poll(ZERO, 1))])
    assert stored(table)["arrival_time_us"].to_pylist() == [10, 30, 30, 30, 40]
    assert stored(table)["record_time_us"].to_pylist() == [10, 30, 20, 25, 40]
    assert table.raised == 2


def test_a_mark_binds_what_comes_after_it(tmp_path, log):
    put(log, ZERO, 10)
    events(tmp_path, log).take([Marked(log.poll(ZERO, -1, idle_us=50), 50)])
    put(log, ZERO, 45, 60)
    table = events(tmp_path, log)
    table.take([Marked(log.poll(ZERO, 0))])
    assert stored(table)["arrival_time_us"].to_pylist() == [10, 50, 60]


def test_the_watermark_is_the_smallest_maximum_and_waits_for_every_known_partition(tmp_path, log):
    put(log, ZERO, 10, 90)
    table = events(tmp_path, log)
    table.take([Marked(log.poll(ZERO, -1))])
    assert table.handle.position("watermark") == -1
    table.take([Marked(log.poll(ONE, -1, idle_us=70), 70)])
    assert table.handle.position("watermark") == 70


def test_a_partition_that_joins_starts_at_the_watermark(tmp_path, log):
    put(log, ZERO, 10, 90)
    events(tmp_path, log).take([Marked(log.poll(ZERO, -1)), Marked(log.poll(ONE, -1, -1, idle_us=80), 80)])
    log.partitions["payments"] = 3
    put(log, ("payments", 2), 20, 85)
    table = events(tmp_path, log)
    table.take([Marked(log.poll(("payments", 2), -1))])
    assert stored(table)["arrival_time_us"].to_pylist() == [10, 90, 80, 85]
    assert table.positions.watermark_us == 80


def test_a_batch_that_is_partly_stored_adds_the_rest_and_one_that_leaves_a_hole_is_refused(tmp_path, log):
    put(log, ZERO, *range(10, 20))
    table = events(tmp_path, log)
    table.take([Marked(log.poll(ZERO, -1, 4))])
    table.take([Marked(log.poll(ZERO, 2, 6)), Marked(log.poll(ZERO, 0, 3))])
    assert stored(table)["kafka_offset"].to_pylist() == list(range(7))
    with pytest.raises(RestartNeeded, match="begins after offset 8, but the table ends at 6"):
        table.take([Marked(log.poll(ZERO, 8))])


def test_a_gap_that_does_not_join_on_passes_over_nothing(tmp_path, log):
    put(log, ZERO, *range(10))
    table = events(tmp_path, log)
    table.take([Marked(log.poll(ZERO, -1, 2))])
    gap = replace(log.poll(ZERO, 5, 5), to=7, gap=(6, 8))
    with pytest.raises(RestartNeeded, match="begins after offset 5, but the table ends at 2"):
        table.take([Marked(gap)])
    assert events(tmp_path, log).positions.offsets["payments", TOPIC_ID, 0] == 2


def test_gaps_are_recorded_with_the_positions(tmp_path, log):
    put(log, ZERO, *range(10, 20))
    gap = log.poll(ZERO, -1, -1)
    table = events(tmp_path, log)
    table.take([Marked(log.poll(ZERO, -1, 1))])
    fields = {**gap.__dict__, "to": 4, "gap": (0, 5)}
    table.take([Marked(type(gap)(**fields)), Marked(log.poll(ZERO, 4))])
    assert stored(table)["kafka_offset"].to_pylist() == [0, 1, 5, 6, 7, 8, 9]
    partition = ("payments", TOPIC_ID, 0)
    handle = events(tmp_path, log).handle
    assert handle.position(gaps_app(*partition)) == 1
    assert [handle.position(gap_app(*partition, 0, end)) for end in ("first", "past")] == [2, 5]
    assert LogPositions.load(handle, {("payments", TOPIC_ID): 2}).gaps[partition] == ((2, 5),)


def test_dead_letters_keep_their_bytes_and_their_own_positions(tmp_path, log):
    put(log, ZERO, 10, 20)
    log.of(ZERO).insert(1, Record(-1, None))
    log.of(("outcomes", 0)).append(Record(30, None))
    dead = StoredDeadLetters(tmp_path, log.topics)
    dead.take([Marked(log.poll(ZERO, -1)), Marked(log.poll(("outcomes", 0), -1))])
    rows = stored(dead).sort_by("topic").to_pylist()
    assert [(row["topic"], row["kafka_offset"], row["arrival_time_us"]) for row in rows] == [
        ("outcomes", 0, 30),
        ("payments", 1, 10),
    ]
    assert rows[0]["value"] == b"{"
    assert dead.handle.position(offset_app("payments", TOPIC_ID, 0)) == 2
    assert dead.handle.position(arrival_app("payments", TOPIC_ID, 0)) == 20


def test_a_topic_made_anew_is_refused_because_its_offsets_are_stored_already(tmp_path, log):
    put(log, ZERO, 10, 90)
    events(tmp_path, log).take([Marked(log.poll(ZERO, -1), 90)])
    events(tmp_path, log)
    with pytest.raises(
        RefusedError, match=r"events_payments holds events of an earlier topic payments\. .* another name"
    ):
        StoredEvents(tmp_path, PAYMENTS, {("payments", "another"): 1})
    renamed = StoredEvents(tmp_path, replace(PAYMENTS, name="payments_2"), {("payments", "another"): 1})
    assert renamed.held() == {("payments", "another", 0): -1}


def test_dead_letters_take_a_topic_that_joins_them_later(tmp_path, log):
    """They are of all topics: one that the table does not know is not one that was made anew."""
    put(log, ZERO, 10)
    StoredDeadLetters(tmp_path, {("payments", TOPIC_ID): 2}).take([Marked(log.poll(ZERO, -1))])
    assert StoredDeadLetters(tmp_path, log.topics).held()["outcomes", TOPIC_ID, 0] == -1


def source_with(amount=None, **changes):
    fields = tuple(replace(each, type=amount) if amount and each.name == "amount" else each for each in PAYMENTS.fields)
    return replace(PAYMENTS, fields=fields, **changes)


def test_stored_values_that_would_mean_something_else_are_refused_and_the_field_is_named(tmp_path, log):
    """Cents read as tenths of a cent: no error would ever show it."""
    put(log, ZERO, 10)
    events(tmp_path, log).take([Marked(log.poll(ZERO, -1), 90)])
    finer = source_with(Decimal(decimals=3, low=0, high=1000))
    says = r"source 'payments' have another meaning than its definition: source payments: field amount: decimals 2 -> 3"
    with pytest.raises(RefusedError, match=says):
        StoredEvents(tmp_path, finer, log.topics)
    with pytest.raises(RefusedError, match=says):
        EventsReader(tmp_path, finer).refresh()


def test_what_is_accepted_may_change_while_stored_values_mean_what_they_did(tmp_path, log):
    events(tmp_path, log)
    wider = source_with(Decimal(decimals=2, low=-5, high=2000), tolerated_future=timedelta(seconds=1))
    StoredEvents(tmp_path, wider, {("payments", TOPIC_ID): 2})


def test_what_is_stored_is_what_was_polled(tmp_path, log):
    for number, note in enumerate(["x", None, "ü" * 50, None, ""]):
        log.of(ZERO).append(Record(number, payment(number, number * 86_400_000_000, note=note)))
    polled = log.poll(ZERO, -1)
    table = events(tmp_path, log)
    table.take([Marked(polled)])
    again = event_batch(PAYMENTS, stored(table))
    assert again.digest.tolist() == polled.events.digest.tolist()
    for name, column in polled.events.columns.items():
        valid = polled.events.valid.get(name, slice(None))
        assert again.columns[name][valid].tolist() == column[valid].tolist()


@pytest.mark.parametrize("seed", seeds(quick=3, deep=6))
def test_owners_zombies_and_restarts_store_every_offset_once(tmp_path, log, seed):
    r = random.Random(seed)
    times = sorted(r.randrange(10**6) for _ in range(300))
    for time_us in times:
        put(log, r.choice((ZERO, ONE)), time_us - r.choice((0, 0, 0, 500)))
    owners = [events(tmp_path, log), events(tmp_path, log)]
    for _ in range(60):
        number = r.randrange(2)
        if r.random() < 0.15:
            owners[number] = events(tmp_path, log)
        batches = []
        for key in (ZERO, ONE):
            held = owners[number].positions.offsets.get(("payments", TOPIC_ID, key[1]), -1)
            to = min(len(log.of(key)) - 1, held + r.randrange(20))
            batches.append(Marked(log.poll(key, max(-1, held - r.randrange(3)), to)))
        try:
            owners[number].take(batches)
        except RestartNeeded:
            owners[number] = events(tmp_path, log)
    table = events(tmp_path, log)
    for key in (ZERO, ONE):
        table.take([Marked(log.poll(key, table.positions.offsets[("payments", TOPIC_ID, key[1])]))])
    rows = stored(table)
    assert list(zip(rows["kafka_partition"].to_pylist(), rows["kafka_offset"].to_pylist(), strict=True)) == [
        (key[1], offset) for key in (ZERO, ONE) for offset in range(len(log.of(key)))
    ]


def test_tending_a_table_changes_no_row_and_no_position(tmp_path, log):
    put(log, ZERO, *(number * 3_600_000_000 for number in range(60)))
    table = events(tmp_path, log)
    for offset in range(60):
        table.take([Marked(log.poll(ZERO, offset - 1, offset))])
    before = stored(table)
    files = len(DeltaTable(table.handle.path).file_uris())
    tend(tmp_path)
    assert len(DeltaTable(table.handle.path).file_uris()) < files // 4
    assert stored(table).equals(before)
    put(log, ZERO, 61 * 3_600_000_000)
    table.take([Marked(log.poll(ZERO, 59))])
    assert table.handle.refresh().transaction_version(offset_app("payments", TOPIC_ID, 0)) == 60
