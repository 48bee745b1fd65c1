"""Who pays where: customers with their habits and the terminals they can reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy.demo.traffic.cards.transactions import Transactions

Floats = NDArray[np.float64]
Int64 = NDArray[np.int64]

GRID = 100.0
RADIUS = 5.0
_AT_ONCE = 500  # customers whose distances to all terminals are held at a time


@dataclass(frozen=True)
class Population:
    """Customers 0 to n - 1. Amounts in euro; `per_day` is the mean number of transactions of a customer.

    The terminals of customer c are `reachable[first[c]:first[c + 1]]`; some customers reach none.
    """

    mean_amount: Floats
    std_amount: Floats
    per_day: Floats
    first: Int64
    reachable: Int64

    @property
    def customers(self) -> int:
        return len(self.per_day)

    @property
    def terminals_of(self) -> Int64:
        """How many terminals each customer reaches."""
        return np.diff(self.first)

    @classmethod
    def on_grid(cls, customers: int, terminals: int, rng: np.random.Generator) -> Population:
        """The Handbook's profiles: places and habits uniform, a terminal is reachable within the radius."""
        place = rng.uniform(0, GRID, (customers, 2))
        mean_amount = rng.uniform(5, 100, customers)
        per_day = rng.uniform(0, 4, customers)
        at = rng.uniform(0, GRID, (terminals, 2))
        counts, found = [], []
        for begin in range(0, customers, _AT_ONCE):
            apart = place[begin : begin + _AT_ONCE, None, :] - at[None, :, :]
            near = np.einsum("ijk,ijk->ij", apart, apart) < RADIUS**2
            counts.append(near.sum(axis=1))
            found.append(np.nonzero(near)[1])
        first = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
        return cls(mean_amount, mean_amount / 2, per_day, first, np.concatenate(found).astype(np.int64))

    @classmethod
    def of(cls, transactions: Transactions) -> Population:
        """The people of a history: their activity, amounts and terminals as seen in it."""
        customers = int(transactions.customer_id.max()) + 1
        count = np.bincount(transactions.customer_id, minlength=customers)
        mean, std = _habits(transactions.take(np.flatnonzero(~transactions.is_fraud)), customers)
        terminals = int(transactions.terminal_id.max()) + 1
        pairs = np.unique(transactions.customer_id * terminals + transactions.terminal_id)
        first = np.searchsorted(pairs // terminals, np.arange(customers + 1)).astype(np.int64)
        days = max(1.0, np.ptp(transactions.event_time_us) / 86_400e6)
        return cls(mean, std, count / days, first, pairs % terminals)

    def draw_customers(self, count: int, rng: np.random.Generator) -> Int64:
        """int64[count]: customers at random, each as often as it is active."""
        weights = np.cumsum(np.where(self.terminals_of > 0, self.per_day, 0.0))
        return np.searchsorted(weights, rng.uniform(0, weights[-1], count), side="right").astype(np.int64)

    def draw_terminals(self, customer: Int64, rng: np.random.Generator) -> Int64:
        """int64[n]: one of the terminals that each customer reaches; each must reach one."""
        drawn: Int64 = self.reachable[self.first[customer] + rng.integers(0, self.terminals_of[customer])]
        return drawn

    def draw_amounts(self, customer: Int64, rng: np.random.Generator) -> Int64:
        """int64[n] cents: normal around the customer's habit; a negative one is drawn again, uniform to twice it."""
        mean: Any = self.mean_amount[customer]
        amount = rng.normal(mean, self.std_amount[customer])
        amount = np.where(amount < 0, rng.uniform(0, mean * 2), amount)
        return np.rint(amount * 100).astype(np.int64)


def _habits(honest: Transactions, customers: int) -> tuple[Floats, Floats]:
    """Mean and deviation of each customer's amounts, in euro; 0 for who has none."""
    amount = honest.amount_cents / 100
    count = np.maximum(np.bincount(honest.customer_id, minlength=customers), 1)
    mean = np.bincount(honest.customer_id, weights=amount, minlength=customers) / count
    squares = np.bincount(honest.customer_id, weights=amount**2, minlength=customers) / count
    return mean, np.sqrt(np.maximum(squares - mean**2, 0))
