"""What the generator says it sent is what the stream's own decoder finds in its bytes."""

from datetime import UTC, datetime
from itertools import chain

import numpy as np
import polars as pl
import pytest

from deploy.demo.card_traffic import CardTraffic
from deploy.demo.disturbances import Disturbances
from deploy.demo.event_bytes import DEAD, FIRST_DEAD, KINDS, UNKNOWN_FIELD, encode
from deploy.demo.handbook import World, simulate
from deploy.demo.live_traffic import LiveTraffic
from deploy.demo.transactions import DAY_US, read_transactions
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS
from streaming.record_reader import CREATE_TIME, RecordReader, Records, StampRule

START_US = 20_000 * DAY_US
WILD = Disturbances(late=0.05, duplicate=0.04, malformed=0.07)
LATE_US = 600_000_000


@pytest.fixture(scope="module")
def world():
    return simulate(customers=200, terminals=400, days=30, start_us=START_US, seed=5)


def read(source, records):
    """The source's own part of (topic, key, value, stamp) rows, as streaming reads it."""
    rows = [each for each in records if each[0] == source.topic]
    keys, values = [each[1] for each in rows], [each[2] for each in rows]
    stamps = np.array([each[3] for each in rows], np.int64)
    types = np.full(len(rows), CREATE_TIME, np.int64)
    records = Records(source.topic, 0, np.arange(len(rows)), stamps, types, values, keys.__getitem__)
    return RecordReader(source, StampRule("embedded")).read(records)


def test_one_seed_is_one_sequence_of_bytes(world):
    first, second = ([list(some) for some in CardTraffic(world.transactions, WILD, seed=3).history()] for _ in range(2))
    assert first == second
    assert first != [list(some) for some in CardTraffic(world.transactions, WILD, seed=4).history()]


def test_the_stream_reads_what_the_generator_counted(world):
    traffic = CardTraffic(world.transactions, WILD, seed=3)
    records = list(chain.from_iterable(traffic.history(until_us=START_US + 60 * DAY_US, chunk=1_000)))
    truth = traffic.truth
    events, labels = read(CARD_TRANSACTIONS, records), read(CARD_LABELS, records)
    assert len(records) == truth.records
    assert len(events.dead) == truth.dead == sum(truth.malformed[kind] for kind in DEAD)
    assert not labels.dead
    assert truth.transactions == truth.labels == len(world.transactions)
    assert len(events.events) + len(labels.events) == truth.transactions + truth.labels + truth.duplicates
    once = len(np.unique(events.events.digest)) + len(np.unique(labels.events.digest))
    assert once == truth.transactions + truth.labels
    late = events.events.record_time_us - events.events.event_time_us > LATE_US
    assert late.sum() == truth.late
    assert truth.frauds == world.transactions.is_fraud.sum()
    assert labels.events.columns["is_fraud"].sum() >= truth.frauds  # some came twice


def test_shares_are_what_was_asked_for(world):
    traffic = CardTraffic(world.transactions, WILD, seed=3)
    list(traffic.history(until_us=START_US + 60 * DAY_US))
    count, truth = traffic.truth.transactions, traffic.truth
    for found, asked in ((truth.late, 0.05), (truth.duplicates, 0.04), (sum(truth.malformed.values()), 0.07)):
        assert found / count == pytest.approx(asked, rel=0.2)
    assert set(truth.malformed) == {*DEAD, UNKNOWN_FIELD}


def test_each_kind_of_malformed_record_is_set_aside_for_its_own_reason(world):
    some = world.transactions.take(slice(0, 60))
    reasons = {}
    for number in range(FIRST_DEAD, len(KINDS)):
        _, _, values = encode(some, np.full(60, number, np.uint8))
        stamps = (some.event_time_us // 1000 + 1).tolist()
        found = read(CARD_TRANSACTIONS, zip([CARD_TRANSACTIONS.topic] * 60, [b"1"] * 60, values, stamps, strict=True))
        assert len(found.dead) == 60, KINDS[number]
        reasons[KINDS[number]] = found.dead[0].reason
    assert "future" in reasons["future_event"]
    assert "amount" in reasons["missing_field"]
    assert "number" in reasons["number_as_text"]
    assert len(set(reasons.values())) == len(DEAD)


def test_records_come_in_order_of_arrival_and_labels_seven_days_after(world):
    traffic = CardTraffic(world.transactions, Disturbances(0, 0, 0), seed=3)
    records = list(chain.from_iterable(traffic.history()))
    stamps = [each[3] for each in records]
    assert stamps == sorted(stamps)
    assert stamps[-1] <= traffic.end_us // 1000
    labels = read(CARD_LABELS, records).events
    assert (labels.columns["event_time"] - labels.columns["transaction_time"] == 7 * DAY_US).all()
    assert len(labels) < traffic.truth.transactions  # those of the last seven days are not known yet
    rest = traffic.records_until(START_US + 60 * DAY_US)
    assert len(labels) + rest == pytest.approx(len(world.transactions), abs=3)


def test_without_disturbances_nothing_is_late_twice_or_wrong(world):
    traffic = CardTraffic(world.transactions, Disturbances(0, 0, 0))
    list(traffic.history())
    assert (traffic.truth.late, traffic.truth.duplicates, traffic.truth.dead, traffic.truth.malformed) == (0, 0, 0, {})


def test_a_share_beyond_one_names_itself():
    with pytest.raises(ValueError, match="late is"):
        Disturbances(late=1.5)


def test_live_traffic_goes_on_with_the_same_people_at_its_rate(world):
    traffic = CardTraffic(world.transactions, WILD, seed=3)
    list(traffic.history())
    sent = traffic.truth.records
    live = LiveTraffic(world, 1_000, WILD, rest=traffic, seed=3)
    now_us = traffic.end_us
    records = [record for tick in range(1, 101) for record in live.tick(now_us + tick * 50_000, 0.05)]
    assert len(records) == live.truth.records - sent
    events = read(CARD_TRANSACTIONS, records)
    new = events.events.columns["transaction_id"] >= len(world.transactions)
    assert len(np.unique(events.events.columns["transaction_id"][new])) == 5_000
    assert len(events.dead) + len(events.events) + len(read(CARD_LABELS, records).events) == len(records)
    active = set(world.transactions.customer_id.tolist())
    reachable = {int(each) for each in np.flatnonzero(world.population.terminals_of)}
    assert set(events.events.columns["customer_id"].tolist()) <= active | reachable
    lateness = events.events.record_time_us - events.events.event_time_us
    assert lateness.min() > -1_000_000  # stamped with the wall clock, in whole milliseconds
    assert ((lateness > LATE_US) & new).sum() / 5_000 == pytest.approx(0.05, rel=0.25)


def test_live_traffic_delivers_the_labels_that_become_known(world):
    traffic = CardTraffic(world.transactions, Disturbances(0, 0, 0), seed=3)
    list(traffic.history())
    due = traffic.records_until(traffic.end_us + DAY_US)
    live = LiveTraffic(world, 0, Disturbances(0, 0, 0), rest=traffic)
    records = live.tick(traffic.end_us + DAY_US, 0.05)
    assert len(records) == due > 100
    assert set(records.topics) <= {CARD_LABELS.topic, CARD_TRANSACTIONS.topic}


def test_a_file_is_read_as_it_is(tmp_path, world):
    rows = world.transactions
    pl.DataFrame(
        {
            "transaction_id": rows.transaction_id,
            "event_time": pl.Series(rows.event_time_us).cast(pl.Datetime("us", "UTC")),
            "customer_id": rows.customer_id.astype(np.int32),
            "terminal_id": rows.terminal_id,
            "amount": rows.amount_cents / 100,
            "is_fraud": rows.is_fraud.astype(np.int8),
        }
    ).reverse().write_parquet(tmp_path / "file.parquet")
    found = read_transactions(tmp_path / "file.parquet")
    assert np.array_equal(found.amount_cents, rows.amount_cents)
    assert np.array_equal(found.event_time_us, rows.event_time_us)
    assert found.is_fraud.sum() == rows.is_fraud.sum()
    assert len(World.of(found).compromised_terminals) == 0
    moved = found.moved_to_end_before(int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000)
    left_us = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 - moved.event_time_us[-1]
    assert 0 <= left_us < DAY_US


def test_a_file_that_lacks_a_column_is_told_so(tmp_path):
    pl.DataFrame({"transaction_id": [1]}).write_parquet(tmp_path / "file.parquet")
    with pytest.raises(ValueError, match="no column event_time, customer_id"):
        read_transactions(tmp_path / "file.parquet")
