"""The last part of a history, held back and streamed as if it were live, with its own times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from deploy.demo.traffic.cards.card_traffic import CardTraffic
from deploy.demo.traffic.live_traffic import TICK_S
from deploy.demo.traffic.records import Records


class HeldBack:
    """Records from an instant on, so many transactions a second; `begins_us` is where the history before it ends.

    until_us: by when the very last of them has arrived, which is later than it happened.
    """

    def __init__(self, traffic: CardTraffic, transactions: int, rate: float, until_us: int) -> None:
        times_us = traffic.transactions.event_time_us
        self._traffic, self._rate, self._until_us = traffic, rate, until_us
        self._left = times_us[max(0, len(times_us) - transactions) :]
        self._owed = 0.0

    @property
    def begins_us(self) -> int:
        return int(self._left[0])

    def stream(self, stop: Callable[[], bool]) -> Iterator[Records]:
        """Batches every 50 ms until told to stop or nothing is left."""
        before_s = time.monotonic()
        while len(self._left) and not stop():
            time.sleep(TICK_S)
            now_s = time.monotonic()
            self._owed += self._rate * (now_s - before_s)
            before_s = now_s
            count = min(int(self._owed), len(self._left))
            self._owed -= count
            self._left = self._left[count:]
            until_us = int(self._left[0]) if len(self._left) else self._until_us
            yield from self._traffic.history(until_us)
