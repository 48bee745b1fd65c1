"""How fast history becomes durable in every sink, without the time in which the programs load."""

from __future__ import annotations

import time

from deploy.demo.report.facts import Facts


class HistoryRate:
    """`seen` with each look. total: records of the history."""

    def __init__(self, total: int) -> None:
        self._total, self._first = total, (0.0, 0)
        self._began_s = self.looked_s = time.monotonic()

    def seen(self, done: int) -> str:
        """done: records that are durable now. What a progress bar says."""
        self.looked_s = time.monotonic()
        if not done:
            return "the dataflows are starting"
        if not self._first[1]:
            self._first = self.looked_s, done
        return f"{self._per_second(done):,.0f} events/s"

    def facts(self) -> Facts:
        """All of it is durable now."""
        seconds = time.monotonic() - self._began_s
        if not 0 < self._first[1] < self._total:
            return {"records": self._total, "seconds": seconds, "records_per_second": self._total / seconds}
        return {
            "records": self._total,
            "seconds": seconds,
            "started_after_seconds": self._first[0] - self._began_s,
            "records_per_second": self._per_second(self._total),
        }

    def _per_second(self, done: int) -> float:
        return (done - self._first[1]) / max(time.monotonic() - self._first[0], 1e-3)


def described(facts: Facts) -> str:
    """In one line."""
    started_s = facts.get("started_after_seconds")
    after = "" if started_s is None else f" once the dataflows had started ({started_s:.1f} s)"
    return f"{facts['records']:,} events in {facts['seconds']:.1f} s, {facts['records_per_second']:,.0f}/s{after}"
