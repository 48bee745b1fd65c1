"""Records a second, from two looks: how many arrive in the logs of a source, and how many each sink stores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from streaming.operations.status.answer import SourceStatus, Status

SINKS = ("online", "archive")


@dataclass(frozen=True)
class SourceRates:
    """None: not known, as it is before the second look. seconds: between the two looks."""

    seconds: float = 0.0
    arriving: float | None = None
    stored: dict[str, float | None] | None = None

    def of(self, sink: str) -> float | None:
        return None if self.stored is None else self.stored.get(sink)


def source_rates(before: Status | None, now: Status) -> dict[str, SourceRates]:
    """By the name of the source."""
    if before is None or now.at_us <= before.at_us:
        return {}
    seconds = (now.at_us - before.at_us) / 1e6
    earlier = {each.source: each for each in before.sources}
    return {each.source: _rates(earlier[each.source], each, seconds) for each in now.sources if each.source in earlier}


def _rates(before: SourceStatus, now: SourceStatus, seconds: float) -> SourceRates:
    def rate(was: int | None, is_now: int | None) -> float | None:
        return None if was is None or is_now is None else max(0.0, (is_now - was) / seconds)

    stored = {sink: rate(_stored(before, sink), _stored(now, sink)) for sink in SINKS}
    return SourceRates(seconds, rate(_ends(before), _ends(now)), stored)


def _ends(source: SourceStatus) -> int | None:
    return _sum(each.log_end for each in source.partitions)


def _stored(source: SourceStatus, sink: str) -> int | None:
    return _sum(each.sinks.get(sink) for each in source.partitions)


def lag(source: SourceStatus, sink: str) -> int | None:
    """The offsets that a sink has not stored yet, over all partitions."""
    return _sum(each.lag(sink) for each in source.partitions)


def _sum(numbers: Iterable[int | None]) -> int | None:
    found = list(numbers)
    known = [each for each in found if each is not None]
    return sum(known) if found and len(known) == len(found) else None
