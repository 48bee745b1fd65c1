"""The simulation of the Fraud Detection Handbook (Le Borgne, Siblini, Lebichot, Bontempi; chapter 3), in columns.

Customers and terminals lie on a grid of 100 x 100; a customer pays at terminals within a radius of 5, a Poisson
number of times a day, around noon (normal, mean 43,200 s, deviation 20,000 s; what falls outside of the day does
not happen). Three ways of fraud: 1. an amount above 220; 2. every day two terminals are compromised, and all they
take for 28 days is fraudulent; 3. every day three customers' cards are, and for 14 days a third of their
transactions are fraudulent, at five times the amount. Seeded: one seed is one history on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deploy.demo.traffic.cards.population import Population
from deploy.demo.traffic.cards.transactions import DAY_US, Transactions

Int64 = NDArray[np.int64]

SECONDS_A_DAY = 86_400
BIG_CENTS = 220_00
TERMINALS_A_DAY, TERMINAL_DAYS = 2, 28
CUSTOMERS_A_DAY, CUSTOMER_DAYS = 3, 14
SHARE_OF_CUSTOMER, TIMES_AMOUNT = 3, 5


@dataclass(frozen=True)
class World:
    """A simulated history, its people, and who is compromised on the day after it."""

    population: Population
    transactions: Transactions
    compromised_terminals: Int64
    compromised_customers: Int64

    @classmethod
    def of(cls, transactions: Transactions) -> World:
        """The world that a history from elsewhere tells of; nobody in it is known to be compromised."""
        nobody = np.empty(0, np.int64)
        return cls(Population.of(transactions), transactions, nobody, nobody)


def simulate(*, customers: int, terminals: int, days: int, start_us: int, seed: int) -> World:
    """So many days of transactions from an instant (usually midnight) on."""
    rng = np.random.default_rng(seed)
    population = Population.on_grid(customers, terminals, rng)
    transactions = _transactions(population, days, start_us, rng)
    day = (transactions.event_time_us - start_us) // DAY_US
    transactions = replace(transactions, is_fraud=transactions.amount_cents > BIG_CENTS)
    transactions, at_terminals = _compromise_terminals(transactions, day, terminals, days, rng)
    transactions, of_customers = _compromise_customers(transactions, day, customers, days, rng)
    return World(population, transactions, at_terminals, of_customers)


def _transactions(population: Population, days: int, start_us: int, rng: np.random.Generator) -> Transactions:
    active = np.where(population.terminals_of > 0, population.per_day, 0.0)
    count = rng.poisson(active[:, None], (population.customers, days))
    customer, day = (np.repeat(each.ravel(), count.ravel()) for each in np.indices(count.shape))
    second = np.trunc(rng.normal(SECONDS_A_DAY / 2, 20_000, len(customer))).astype(np.int64)
    within = (second > 0) & (second < SECONDS_A_DAY)
    customer, day, second = customer[within], day[within], second[within]
    order = np.argsort(day * SECONDS_A_DAY + second, kind="stable")
    customer, day, second = customer[order], day[order], second[order]
    return Transactions(
        transaction_id=np.arange(len(customer), dtype=np.int64),
        event_time_us=start_us + day * DAY_US + second * 1_000_000,
        customer_id=customer,
        terminal_id=population.draw_terminals(customer, rng),
        amount_cents=population.draw_amounts(customer, rng),
        is_fraud=np.zeros(len(customer), np.bool_),
    )


def _compromise_terminals(
    transactions: Transactions, day: Int64, terminals: int, days: int, rng: np.random.Generator
) -> tuple[Transactions, Int64]:
    compromised = np.zeros((terminals, days + 1), np.bool_)
    for today in range(days):
        drawn = rng.choice(terminals, min(TERMINALS_A_DAY, terminals), replace=False)
        compromised[drawn, today : today + TERMINAL_DAYS] = True
    is_fraud = transactions.is_fraud | compromised[transactions.terminal_id, day]
    return replace(transactions, is_fraud=is_fraud), np.flatnonzero(compromised[:, days])


def _compromise_customers(
    transactions: Transactions, day: Int64, customers: int, days: int, rng: np.random.Generator
) -> tuple[Transactions, Int64]:
    by_customer = np.argsort(transactions.customer_id, kind="stable")  # each customer's in order of time
    first = np.searchsorted(transactions.customer_id[by_customer], np.arange(customers + 1))
    amount, is_fraud = transactions.amount_cents.copy(), transactions.is_fraud.copy()
    still: list[int] = []
    for today in range(days):
        for customer in rng.choice(customers, min(CUSTOMERS_A_DAY, customers), replace=False):
            own = by_customer[first[customer] : first[customer + 1]]
            begin, end = np.searchsorted(day[own], (today, today + CUSTOMER_DAYS))
            chosen = rng.choice(own[begin:end], (end - begin) // SHARE_OF_CUSTOMER, replace=False)
            amount[chosen] *= TIMES_AMOUNT
            is_fraud[chosen] = True
            if today + CUSTOMER_DAYS > days:
                still.append(int(customer))
    changed = replace(transactions, amount_cents=amount, is_fraud=is_fraud)
    return changed, np.unique(np.asarray(still, np.int64))
