"""The simulation has the statistics of the Handbook's own data set, and one seed is one history."""

from dataclasses import fields

import numpy as np
import pytest

from deploy.demo.traffic.cards.handbook import SECONDS_A_DAY, simulate
from deploy.demo.traffic.cards.transactions import DAY_US

START_US = 17_622 * DAY_US


@pytest.fixture(scope="module")
def world():
    """A fifth of the Handbook's people on a denser grid of terminals, two months."""
    return simulate(customers=1_000, terminals=10_000, days=61, start_us=START_US, seed=7)


def test_one_seed_is_one_history(world):
    again = simulate(customers=1_000, terminals=10_000, days=61, start_us=START_US, seed=7)
    for each in fields(world.transactions):
        assert np.array_equal(getattr(world.transactions, each.name), getattr(again.transactions, each.name))
    other = simulate(customers=1_000, terminals=10_000, days=61, start_us=START_US, seed=8)
    assert len(other.transactions) != len(world.transactions)


def test_activity_is_the_handbooks(world):
    """1,754,155 transactions of 5,000 customers in 183 days: 1.92 each a day."""
    rows = world.transactions
    assert len(rows) / 1_000 / 61 == pytest.approx(1.92, abs=0.12)
    assert (np.diff(rows.event_time_us) >= 0).all()
    assert np.array_equal(rows.transaction_id, np.arange(len(rows)))
    assert rows.event_time_us[0] >= START_US
    assert rows.event_time_us[-1] < START_US + 61 * DAY_US


def test_the_day_peaks_at_noon(world):
    """Normal around 43,200 s with 20,000 s, cut at 2.16 deviations: 0.909 of the deviation is left."""
    second = (world.transactions.event_time_us % DAY_US) / 1e6
    assert second.mean() == pytest.approx(SECONDS_A_DAY / 2, abs=300)
    assert second.std() == pytest.approx(18_190, abs=300)
    assert second.min() > 0


def test_amounts_are_the_handbooks(world):
    honest = world.transactions.amount_cents[~world.transactions.is_fraud] / 100
    assert honest.mean() == pytest.approx(52.9, abs=3)
    assert honest.std() == pytest.approx(39.5, abs=3)
    assert honest.min() >= 0
    assert honest.max() <= 220


def test_customers_pay_within_their_radius(world):
    population, rows = world.population, world.transactions
    for customer in np.unique(rows.customer_id)[:50]:
        own = population.reachable[population.first[customer] : population.first[customer + 1]]
        assert set(rows.terminal_id[rows.customer_id == customer].tolist()) <= set(own.tolist())
    assert population.terminals_of.mean() == pytest.approx(10_000 * np.pi * 25 / 10_000, rel=0.15)  # less at the edge


def test_an_amount_above_220_is_fraud(world):
    rows = world.transactions
    assert rows.is_fraud[rows.amount_cents > 220_00].all()


def test_a_compromised_terminal_takes_nothing_but_fraud_for_28_days():
    world = simulate(customers=300, terminals=300, days=40, start_us=START_US, seed=3)
    day = (world.transactions.event_time_us - START_US) // DAY_US
    assert len(world.compromised_terminals) > 40
    # Drawn within the last 27 days at the latest, so on the last day all of them are.
    last = (day == 39) & np.isin(world.transactions.terminal_id, world.compromised_terminals)
    assert last.any()
    assert world.transactions.is_fraud[last].all()


def test_the_share_of_fraud_is_the_handbooks():
    """0.837 % in its 183 days of 5,000 customers and 10,000 terminals; its parts are 973, 9,077 and 4,631."""
    world = simulate(customers=5_000, terminals=10_000, days=92, start_us=START_US, seed=1)
    assert world.transactions.is_fraud.mean() == pytest.approx(0.0080, abs=0.0012)
