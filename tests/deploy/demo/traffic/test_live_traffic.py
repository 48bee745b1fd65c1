"""Live traffic is the history's people going on, and it counts what it sends."""

import numpy as np
import pytest

from deploy.demo.traffic.cards.card_traffic import CardTraffic
from deploy.demo.traffic.cards.disturbances import Disturbances
from deploy.demo.traffic.cards.transactions import DAY_US
from deploy.demo.traffic.live_traffic import LiveTraffic
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS
from tests.deploy.demo.traffic.generated import LATE_US, WILD, read


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
