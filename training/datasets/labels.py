"""Labels as they were known at an instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from shared_features.definitions import Condition, EventSource, LabelSource
from shared_features.formats.events import EventBatch
from shared_features.formats.offline_tables import ARRIVAL_TIME, POSITION, RECORD_TIME
from shared_features.formats.training_run import LABEL
from shared_features.group_events import meets
from training.datasets.offline_store import PinnedTable, event_columns
from training.datasets.rows.sorted_numbers import SortedNumbers

_KNOWN = "label_arrival_us"
HAPPENED = "label_event_time_us"
_ID, _DIGEST = "label_id", "label_digest"
_ARRIVAL_ORDER = (_KNOWN, *POSITION)


@dataclass(frozen=True)
class KnownLabels:
    """Label events that had arrived by `cutoff_us`, one row each: join key, value, event time, arrival and position.

    A value is a float64, and of labels with named classes the name itself.
    An event that was delivered again is here once, as it first arrived.
    kept_from_us: up to which arrival time others are gone, by retention.
    together: whether the label is of all events of a key, and none replaces another. A value is a whole number then:
    the steps of the summed field, or 1.
    """

    joins: tuple[str, ...]
    cutoff_us: int
    events: pl.DataFrame
    together: bool = False
    kept_from_us: int = 0

    def resolve(self, before_us: int | None = None) -> pl.DataFrame:
        """One row per join key, its `label` the one of the latest event time, and among equal ones the last to arrive.

        before_us: only labels that had arrived before this instant. Nobody could have trained on another one.
        """
        return self.keys.with_columns(self.outcomes(before_us)).drop_nulls(LABEL)

    @property
    def keys(self) -> pl.DataFrame:
        """The join keys, each once."""
        if self.together:
            return self.events.select(self.joins).unique(maintain_order=True)
        return self._latest.select(self.joins)

    def arrived(self, before_us: int) -> pl.DataFrame:
        """The events that had arrived before an instant, in order of arrival: join key, `HAPPENED` and the value."""
        arrived = self.events.filter(pl.col(_KNOWN) < before_us).sort(*_ARRIVAL_ORDER)
        return arrived.select(*self.joins, HAPPENED, LABEL)

    def outcomes(self, before_us: int | None = None) -> pl.Series:
        """The label of each of `keys` as `resolve` has it; null where none had arrived."""
        if before_us is None:
            return self._latest[LABEL]
        known = self._single.select(pl.when(pl.col(_KNOWN) < before_us).then(LABEL).alias(LABEL))[LABEL]
        several = _latest_of(self._several.filter(pl.col(_KNOWN) < before_us), self.joins)
        keys = self._latest[len(self._single) :].select(self.joins)
        return known.append(
            keys.join(several, on=self.joins, how="left", maintain_order="left", nulls_equal=True)[LABEL]
        )

    @property
    def conflicts(self) -> int:
        """How many join keys have labels of different values."""
        if self.together:
            return 0
        values = self._several.group_by(self.joins).agg(pl.col(LABEL).n_unique())
        return int((values[LABEL] > 1).sum())

    @cached_property
    def _repeats(self) -> pl.Series:
        return _repeated(self.events, self.joins)

    @cached_property
    def _single(self) -> pl.DataFrame:
        """The labels of the keys that have one."""
        return self.events.filter(~self._repeats) if self._repeats.any() else self.events

    @cached_property
    def _several(self) -> pl.DataFrame:
        """The labels of the keys that have more: few, and only these are sorted."""
        return self.events.filter(self._repeats)

    @cached_property
    def _latest(self) -> pl.DataFrame:
        return pl.concat([self._single.select(*self.joins, LABEL), _latest_of(self._several, self.joins)])


def _latest_of(events: pl.DataFrame, joins: Sequence[str]) -> pl.DataFrame:
    """One row of each key, with its label."""
    latest = events.sort(*joins, HAPPENED, *_ARRIVAL_ORDER).unique(joins, keep="last", maintain_order=True)
    return latest.select(*joins, LABEL)


def _repeated(events: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """Which rows have the same values as another row."""
    first = events[columns[0]]
    if len(columns) > 1 or first.null_count() or not first.dtype.is_integer():
        return events.select(columns).is_duplicated()
    if SortedNumbers(first.to_numpy()).is_distinct:  # numbers nearly in order: quicker than a hash table
        return pl.repeat(value=False, n=len(events), dtype=pl.Boolean, eager=True)
    return first.is_duplicated()


def read_labels(labels: LabelSource, table: PinnedTable, cutoff_us: int) -> KnownLabels:
    """The labels of the source's events table that had arrived by the cutoff.

    Rows without a value of the label's field are left out: whether a condition holds of them is not known.
    """
    source = labels.source
    conditions = () if labels.later is None else labels.later.where
    needed = [source.event_id, source.event_time, *labels.joins, labels.column, *(each.column for each in conditions)]
    names = list(dict.fromkeys(needed))
    there = (pl.col(ARRIVAL_TIME) <= cutoff_us) & pl.col(labels.column).is_not_null()
    stored = table.scan().filter(there)
    frame = stored.select(*POSITION, RECORD_TIME, ARRIVAL_TIME, *names).collect()
    for condition in conditions:
        frame = frame.filter(_met(source, frame, condition))
    events = frame.select(
        pl.col(source.event_id).alias(_ID),
        *POSITION,
        *labels.joins,
        _values(labels, frame),
        pl.col(source.event_time).alias(HAPPENED),
        pl.col(ARRIVAL_TIME).alias(_KNOWN),
    )
    once = _without_copies(source, stored, events).drop(_ID)
    return KnownLabels(labels.joins, cutoff_us, once, labels.later is not None, table.kept_from_us)


def _without_copies(source: EventSource, stored: pl.LazyFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Each event as it first arrived: a copy that arrives after a correction must not undo the correction.

    Copies are equal in all fields. These are read only of ids that are there more than once.
    """
    several = _repeated(events, [_ID])
    if not several.any():
        return events
    ids = events.filter(several).select(pl.col(_ID).unique().alias(source.event_id))
    names = [field.name for field in source.fields]
    frame = stored.join(ids.lazy(), on=source.event_id, how="semi").select(*POSITION, RECORD_TIME, *names).collect()
    columns, valid = event_columns(source, frame, names)
    batch = EventBatch(source, columns, valid, frame[RECORD_TIME].to_numpy())
    contents = frame.select(*POSITION, pl.Series(_DIGEST, batch.digest))
    found = events.filter(several).join(contents, on=POSITION, how="inner").sort(*_ARRIVAL_ORDER)
    first = found.unique(_DIGEST, keep="first", maintain_order=True).drop(_DIGEST)
    return pl.concat([events.filter(~several), first])


def _values(labels: LabelSource, frame: pl.DataFrame) -> pl.Expr | pl.Series:
    if labels.later is not None:
        return (pl.lit(1, pl.Int64) if labels.later.is_count else pl.col(labels.column).cast(pl.Int64)).alias(LABEL)
    if labels.condition is not None:
        return _met(labels.source, frame, labels.condition).alias(LABEL).cast(pl.Float64)
    stored = pl.col(labels.column).alias(LABEL)
    return stored if labels.is_named else stored.cast(pl.Float64) / labels.source.field(labels.column).scale


def _met(source: EventSource, frame: pl.DataFrame, condition: Condition) -> pl.Series:
    """Of which events a condition holds."""
    columns, valid = event_columns(source, frame, [condition.column])
    batch = EventBatch(source, columns, valid, frame[RECORD_TIME].to_numpy())
    return pl.Series(meets(condition, batch), dtype=pl.Boolean)
