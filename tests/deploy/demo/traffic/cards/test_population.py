"""Who pays, as seen in a history that was not simulated here."""

import numpy as np
import pytest

from deploy.demo.traffic.cards.handbook import simulate
from deploy.demo.traffic.cards.population import Population
from deploy.demo.traffic.cards.transactions import DAY_US


def test_a_history_from_elsewhere_tells_who_its_people_are():
    world = simulate(customers=1_000, terminals=10_000, days=61, start_us=17_622 * DAY_US, seed=7)
    population = Population.of(world.transactions)
    rng = np.random.default_rng(1)
    customer = population.draw_customers(20_000, rng)
    drawn = np.bincount(customer, minlength=population.customers) / 20_000
    real = np.bincount(world.transactions.customer_id, minlength=population.customers) / len(world.transactions)
    assert np.abs(drawn - real).max() < 0.002
    pairs = set(zip(world.transactions.customer_id.tolist(), world.transactions.terminal_id.tolist(), strict=True))
    terminal = population.draw_terminals(customer, rng)
    assert set(zip(customer.tolist(), terminal.tolist(), strict=True)) <= pairs
    assert population.draw_amounts(customer, rng).mean() / 100 == pytest.approx(53, abs=3)
