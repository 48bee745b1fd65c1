"""The checks of one source: what is expected of its events, looked at once a minute at most."""

from __future__ import annotations

import time
from collections.abc import Callable

from shared_features.definitions import EventSource
from streaming.archive.expectations.arrived import Arrived, Reached
from streaming.archive.expectations.check import checks_of
from streaming.archive.expectations.expectation_metrics import ExpectationMetrics
from streaming.archive.expectations.finding import said
from streaming.archive.expectations.sample import sampled
from streaming.log import get_log

_LOOK_S = 60.0
_LOG = get_log("archive")


class SourceChecks:
    """Nothing here stops the archive, and nothing changes what it stores.

    since_us: the newest arrival time that was stored before; -1: none was. every: about one in so many events is in the
    sample.
    """

    def __init__(
        self,
        source: EventSource,
        since_us: int,
        every: int,
        metrics: ExpectationMetrics,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._every, self._metrics, self._clock_s = source, every, metrics, clock_s
        self._checks = tuple(checks_of(source, every, since_us))
        self._due_s = clock_s()

    def see(self, stored: Arrived) -> None:
        """Count events that are stored, each once."""
        sample = stored.take(sampled(stored.events, self._every))
        for check in self._checks:
            check.see(stored, sample)

    def look(self, reached: Reached) -> None:
        """Tell metrics and log what was found since the last look. One line, and only of what is not met."""
        if (now_s := self._clock_s()) < self._due_s:
            return
        self._due_s = now_s + _LOOK_S
        findings = [found for each in self._checks if (found := each.look(reached)) is not None]
        for each in findings:
            self._metrics.found(self._source.name, each)
        if unmet := [each for each in findings if not each.met]:
            tell = _LOG.warning if all(each.warn for each in unmet) else _LOG.error
            tell(
                "finding what is not expected", source=self._source.name, topic=self._source.topic, not_met=said(unmet)
            )
