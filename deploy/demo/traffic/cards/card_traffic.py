"""Card traffic as Kafka has it: transactions, labels seven days after, and what comes late, twice or wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from deploy.demo.traffic.cards.disturbances import Disturbances
from deploy.demo.traffic.cards.event_bytes import (
    EVENT_WITH_UNKNOWN,
    FIRST_DEAD,
    KINDS,
    LABEL,
    LABEL_DELAY_US,
    encode,
)
from deploy.demo.traffic.cards.transactions import Transactions
from deploy.demo.traffic.records import Records, Truth

Int64 = NDArray[np.int64]

CHUNK = 50_000


class CardTraffic:
    """The records of transactions, taken once from first to last. One seed, one sequence of bytes."""

    def __init__(self, transactions: Transactions, disturbances: Disturbances | None = None, *, seed: int = 1) -> None:
        self.transactions = transactions
        self.truth = Truth()
        rng = np.random.default_rng([seed, 1])
        self._row, self._kind, self._arrival_us, self._again = self._in_order(disturbances or Disturbances(), rng)
        self._taken = 0

    @property
    def end_us(self) -> int:
        """Just after the last transaction."""
        return int(self.transactions.event_time_us[-1]) + 1

    def records_until(self, until_us: int) -> int:
        """How many records, of those not taken yet, arrive before an instant."""
        return max(0, int(np.searchsorted(self._arrival_us, until_us)) - self._taken)

    def history(self, until_us: int | None = None, chunk: int = CHUNK) -> Iterator[Records]:
        """What arrives before an instant, in order, each record stamped with its arrival; `truth` counts it.

        Default: up to the last transaction; the labels that follow it are left. Call it again to continue.
        """
        end = self._taken + self.records_until(self.end_us if until_us is None else until_us)
        while self._taken < end:
            part = slice(self._taken, min(end, self._taken + chunk))
            some = self.transactions.take(self._row[part])
            topics, keys, values = encode(some, self._kind[part])
            arrival_ms = self._arrival_us[part] // 1000
            self._count(part, some)
            self._taken = part.stop
            yield Records(topics.tolist(), keys.tolist(), values.tolist(), arrival_ms.tolist())

    def _in_order(
        self, disturbances: Disturbances, rng: np.random.Generator
    ) -> tuple[Int64, NDArray[np.uint8], Int64, NDArray[np.bool_]]:
        count = len(self.transactions)
        time_us = self.transactions.event_time_us
        every = np.arange(count)
        delay, late = disturbances.delays_us(count, rng)
        label_delay, _ = Disturbances(late=0).delays_us(count, rng)
        row = np.concatenate([every, every])
        kind = np.concatenate([disturbances.kinds(count, rng), np.full(count, LABEL, np.uint8)])
        arrival = np.concatenate([time_us + delay, time_us + LABEL_DELAY_US + label_delay])
        # A late event that came again would be late twice; so that late ones can be counted, it does not.
        candidates = np.flatnonzero(np.concatenate([~late, np.ones(count, np.bool_)]))
        again, later = disturbances.again(candidates, count, rng)
        dead, dead_kind = disturbances.dead(count, rng)
        row = np.concatenate([row, row[again], dead])
        is_again = np.zeros(len(row), np.bool_)
        is_again[2 * count : 2 * count + len(again)] = True
        kind = np.concatenate([kind, kind[again], dead_kind])
        arrival = np.concatenate([arrival, arrival[again] + later, time_us[dead] + 1_000])
        order = np.argsort(arrival, kind="stable")
        self._late = late
        return row[order], kind[order], arrival[order], is_again[order]

    def _count(self, part: slice, some: Transactions) -> None:
        kind, again = self._kind[part], self._again[part]
        is_event = (kind != LABEL) & (kind < FIRST_DEAD) & ~again
        self.truth.transactions += int(is_event.sum())
        self.truth.labels += int(((kind == LABEL) & ~again).sum())
        self.truth.frauds += int((is_event & some.is_fraud).sum())
        self.truth.late += int((is_event & self._late[self._row[part]]).sum())
        self.truth.duplicates += int(again.sum())
        self.truth.dead += int((kind >= FIRST_DEAD).sum())
        for each, times in zip(*np.unique(kind[~again], return_counts=True), strict=True):
            if each >= EVENT_WITH_UNKNOWN:
                self.truth.malformed[KINDS[each]] = self.truth.malformed.get(KINDS[each], 0) + int(times)
