"""From event-time truth to what was served, one cause after the other: which events count from when on.

In event time every event counts right after it happened. Each stage lets the delays of one more cause take effect, and
the last one is as served. So what a stage changes, its cause has done, and all changes together are the whole gap.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from shared_features.definitions import EventSource, FeatureView
from shared_features.formats.offline_tables import ARRIVAL_TIME, RECORD_TIME
from shared_features.kernel.event_time import to_text
from training.errors import TrainingError
from training.proofs.leaks.held_tables import Change

KNOWN_LATE = "label known late"
LATE_EVENT = "late event"
STREAM_LAG = "stream lag"
CATCH_UP = "catch-up"
CAUSES = (KNOWN_LATE, LATE_EVENT, STREAM_LAG, CATCH_UP)


@dataclass(frozen=True)
class Delays:
    """What delays an event beside the broker. late_us: the lateness from which on an event is late.

    lag_us: from its arrival until the online store has it. standstills: (from, to) in microseconds: while the stream
    stood still nothing reached the online store, and at the end it had all.
    """

    late_us: int
    lag_us: int = 0
    standstills: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if self.lag_us < 0:
            raise TrainingError(f"The lag is {self.lag_us / 1e6:g} seconds. Give 0 or more.")
        for start_us, end_us in self.standstills:
            if start_us >= end_us:
                raise TrainingError(
                    f"The stream stood still from {to_text(start_us)} until {to_text(end_us)}, which is not later. "
                    "Give the beginning first."
                )


def stages(view: FeatureView, delays: Delays) -> Iterator[tuple[str, Change]]:
    """Cause and events of each stage. The first has no cause: event-time truth."""
    # Later events are events as others are: nobody sends them as labels.
    labels = frozenset(each.source.name for each in view.label_sources if each.later is None)
    for number, cause in enumerate(("", *CAUSES)):
        done = CAUSES[:number]
        yield cause, functools.partial(_delayed, done=done, labels=labels, delays=delays)


def _delayed(
    source: EventSource, rows: pl.DataFrame, done: tuple[str, ...], labels: frozenset[str], delays: Delays
) -> pl.DataFrame:
    """The events with the arrival that they have once the causes in `done` delay them."""
    happened, arrived = pl.col(source.event_time), pl.col(ARRIVAL_TIME)
    if STREAM_LAG in done:
        really = arrived + delays.lag_us
        if CATCH_UP in done:
            really = _after_standstills(really, delays)
        return rows.with_columns(really.alias(ARRIVAL_TIME))
    if source.name in labels:
        counts = pl.lit(KNOWN_LATE in done)
    else:
        counts = pl.lit(LATE_EVENT in done) & (arrived - happened > delays.late_us)
    return rows.with_columns(
        pl.when(counts).then(arrived).otherwise(happened).alias(ARRIVAL_TIME),
        pl.when(counts).then(pl.col(RECORD_TIME)).otherwise(happened).alias(RECORD_TIME),
    )


def _after_standstills(arrived: pl.Expr, delays: Delays) -> pl.Expr:
    ends = [
        pl.when((arrived >= start_us) & (arrived < end_us)).then(end_us).otherwise(arrived)
        for start_us, end_us in delays.standstills
    ]
    return functools.reduce(lambda ours, theirs: pl.max_horizontal(ours, theirs), ends, arrived)
