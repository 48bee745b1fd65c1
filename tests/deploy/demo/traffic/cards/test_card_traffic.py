"""What the generator says it sent is what the stream's own decoder finds in its bytes."""

from itertools import chain

import numpy as np
import pytest

from deploy.demo.traffic.cards.card_traffic import CardTraffic
from deploy.demo.traffic.cards.disturbances import Disturbances
from deploy.demo.traffic.cards.event_bytes import DEAD, UNKNOWN_FIELD
from deploy.demo.traffic.cards.transactions import DAY_US
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS
from tests.deploy.demo.traffic.generated import LATE_US, START_US, WILD, read


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
