"""Traffic as it happens: the people of a history continue to pay, at a rate, by the wall clock."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from deploy.demo.traffic.cards.card_traffic import CardTraffic
from deploy.demo.traffic.cards.disturbances import Disturbances
from deploy.demo.traffic.cards.event_bytes import EVENT_WITH_UNKNOWN, FIRST_DEAD, KINDS, encode
from deploy.demo.traffic.cards.handbook import BIG_CENTS, SHARE_OF_CUSTOMER, TIMES_AMOUNT, World
from deploy.demo.traffic.cards.transactions import Int64, Transactions
from deploy.demo.traffic.records import Record, Records, Truth

TICK_S = 0.05


class LiveTraffic:
    """`rate`: transactions a second. `rest`: a history whose records still to come (labels, mostly) come in their
    time. Labels of live transactions, seven days away, are not sent. `truth` counts what both sent.
    """

    def __init__(
        self,
        world: World,
        rate: float,
        disturbances: Disturbances | None = None,
        *,
        rest: CardTraffic | None = None,
        seed: int = 1,
    ) -> None:
        self._world = world
        self._rate = rate
        self._disturbances = disturbances or Disturbances()
        self._rest = rest
        self._rng = np.random.default_rng([seed, 2])
        self._next_id = int(world.transactions.transaction_id.max(initial=-1)) + 1
        self._again: list[tuple[int, Record]] = []
        self._owed = 0.0
        self.truth = rest.truth if rest is not None else Truth()

    def stream(self, stop: Callable[[], bool] = lambda: False, seconds: float = float("inf")) -> Iterator[Records]:
        """Batches every 50 ms until told to stop or the time is over."""
        began_s = before_s = time.monotonic()
        while not stop() and before_s - began_s < seconds:
            time.sleep(TICK_S)
            now_s = time.monotonic()
            yield self.tick(time.time_ns() // 1000, now_s - before_s)
            before_s = now_s

    def tick(self, now_us: int, seconds: float) -> Records:
        """What arrives at an instant, `seconds` after the tick before."""
        self._owed += self._rate * seconds
        count = int(self._owed)
        self._owed -= count
        sent: list[Record] = [] if self._rest is None else [r for some in self._rest.history(now_us) for r in some]
        if count:
            sent += self._new(count, now_us, int(seconds * 1e6))
        while self._again and self._again[0][0] <= now_us:
            sent.append(heapq.heappop(self._again)[1])
            self.truth.duplicates += 1
        return Records(
            [each[0] for each in sent],
            [each[1] for each in sent],
            [each[2] for each in sent],
            [now_us // 1000] * len(sent),
        )

    def _new(self, count: int, now_us: int, within_us: int) -> Iterator[Record]:
        rng, disturbances = self._rng, self._disturbances
        delay, late = disturbances.delays_us(count, rng)
        happened = now_us - np.sort(rng.integers(0, max(within_us, 1), count))[::-1]
        events = self._transactions(np.where(late, now_us - delay, happened))
        kind = disturbances.kinds(count, rng)
        dead, dead_kind = disturbances.dead(count, rng)
        row = np.concatenate([np.arange(count), dead])
        kinds = np.concatenate([kind, dead_kind])
        sent = events.take(row)
        # A wrong record is made of an event in time: a late one, dated an hour ahead, might not be in the future.
        sent = replace(sent, event_time_us=np.where(kinds >= FIRST_DEAD, now_us, sent.event_time_us))
        topics, keys, values = encode(sent, kinds)
        records: list[Record] = list(zip(topics, keys, values, [now_us // 1000] * len(row), strict=True))
        again, later = disturbances.again(np.flatnonzero(~late), count, rng)
        for each, after_us in zip(again.tolist(), later.tolist(), strict=True):
            heapq.heappush(self._again, (now_us + after_us, records[each]))
        self.truth.transactions += count
        self.truth.frauds += int(events.is_fraud.sum())
        self.truth.late += int(late.sum())
        self.truth.dead += len(dead)
        for number in kinds[kinds >= EVENT_WITH_UNKNOWN].tolist():
            self.truth.malformed[KINDS[number]] = self.truth.malformed.get(KINDS[number], 0) + 1
        return iter(records)

    def _transactions(self, event_time_us: Int64) -> Transactions:
        world, rng, count = self._world, self._rng, len(event_time_us)
        customer = world.population.draw_customers(count, rng)
        terminal = world.population.draw_terminals(customer, rng)
        amount = world.population.draw_amounts(customer, rng)
        stolen = np.isin(customer, world.compromised_customers) & (rng.random(count) * SHARE_OF_CUSTOMER < 1)
        is_fraud = (amount > BIG_CENTS) | stolen | np.isin(terminal, world.compromised_terminals)
        ids = self._next_id + np.arange(count)
        self._next_id += count
        rows = Transactions(ids, event_time_us, customer, terminal, amount, is_fraud)
        return replace(rows, amount_cents=np.where(stolen, amount * TIMES_AMOUNT, amount))
