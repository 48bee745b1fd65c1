"""Features of a user's own, which a function adds to a spine: whether a row sees anything that came after it.

`function(events, spine)` gets the stored events, source name -> one row per event in the fields' own units, with
`arrival_time`, and the spine, with `as_of`. It returns the spine's rows in their order, with more columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions import EventSource, FeatureView
from shared_features.formats.offline_tables import ARRIVAL_TIME
from training.datasets.given_spine import AS_OF
from training.errors import LeakError
from training.proofs.leaks.held_clock import NOON_US, clock_at
from training.proofs.leaks.leak import (
    LATER_EVENTS,
    LATER_ROWS,
    LATER_VALUES,
    NOT_ARRIVED,
    OWN_INSTANT,
    OWN_ROW,
    STATE,
    UNKNOWN_LABELS,
    Leak,
    LeakReport,
    Values,
    changed_features,
    first_of_each,
)
from training.proofs.leaks.trials import choose_cuts, cut_rows, outside_leaks

ARRIVED = "arrival_time"
_CUTS = 4

Events = Mapping[str, pl.DataFrame]
OwnFeatures = Callable[[Events, pl.DataFrame], pl.DataFrame]


def own_leaks(
    function: OwnFeatures,
    view: FeatureView,
    events: Events,
    spine: pl.DataFrame,
    label: str = "",
    seed: int = 0,
    again: Callable[[], OwnFeatures] | None = None,
) -> LeakReport:
    """Of every column that the function adds. label: the column of the spine that holds the label, if it has one.

    again: imports the function once more, with nothing kept from a call. Without it a cache that the first call fills
    hides what it holds; so it does where the import raises, which the report tells.
    """
    unchecked: tuple[str, ...] = ()
    spine = spine.sort(AS_OF, maintain_order=True)
    as_of_us = _microseconds(spine[AS_OF])

    def compute(theirs: Events, rows: pl.DataFrame) -> Values:
        return _added(function, theirs, rows, spine.columns)

    whole, leaks = outside_leaks(lambda: compute(events, spine), as_of_us)
    for kept, later in cut_rows(as_of_us, choose_cuts(as_of_us, _CUTS, seed)):
        cut_us, known = int(as_of_us[kept[-1]]), {name: values[kept] for name, values in whole.items()}
        for cause, theirs, rows in _trials(view, events, spine, cut_us, ~later, label):
            found = {name: values[: len(kept)] for name, values in compute(theirs, rows).items()}
            leaks += changed_features(known, found, as_of_us[kept], cause)
        leaks += _twin_leaks(compute, events, spine, whole, kept)
        if again is not None:
            with clock_at(NOON_US):
                try:
                    fresh = again()
                except Exception as error:
                    again, unchecked = None, (_not_again(function, error),)
                    continue
                past = _added(fresh, *_past(view, events, spine, cut_us, ~later, label), spine.columns)
            caught = {each.feature for each in leaks}
            hidden = {name: values for name, values in known.items() if name not in caught}
            leaks += changed_features(hidden, past, as_of_us[kept], STATE)
    leaks = [each for each in leaks if each.feature != label]
    return LeakReport(first_of_each(leaks), {"features of your own": len(whole)}, unchecked=unchecked)


def _not_again(function: OwnFeatures, error: Exception) -> str:
    return (
        f"the module of {getattr(function, '__name__', 'the function')} could not be imported again: "
        f"{type(error).__name__}: {error}. A cache that its first call fills was not looked for"
    )


def units_of(source: EventSource, rows: pl.DataFrame) -> pl.DataFrame:
    """Stored events as a user's function gets them: numbers in their unit, instants as times."""
    names = []
    for field in source.fields:
        column = pl.col(field.name)
        if field.type.is_instant:
            column = column.cast(pl.Datetime("us", "UTC"))
        elif field.scale != 1:
            column = column / field.scale
        names.append(column)
    return rows.select(*names, pl.col(ARRIVAL_TIME).cast(pl.Datetime("us", "UTC")).alias(ARRIVED))


def _trials(
    view: FeatureView, events: Events, spine: pl.DataFrame, cut_us: int, known: NDArray[np.bool_], label: str
) -> Iterator[tuple[str, Events, pl.DataFrame]]:
    """Cause, events and spine of each trial of a cut; the rows that are compared stand first."""
    cut = pl.lit(cut_us).cast(pl.Datetime("us", "UTC"))
    for source in sources_of(view):
        at, rows = pl.col(source.event_time), events[source.name]
        named = f" ({source.name})"
        late = (at < cut) & (pl.col(ARRIVED) > cut)
        at_once = pl.when(at == cut).then(cut).otherwise(ARRIVED).alias(ARRIVED)
        yield OWN_INSTANT + named, {**events, source.name: rows.with_columns(at_once)}, spine
        for cause, gone in ((LATER_EVENTS, at > cut), (OWN_INSTANT, at == cut), (NOT_ARRIVED, late)):
            yield cause + named, {**events, source.name: rows.filter(~gone)}, spine
        yield LATER_VALUES + named, {**events, source.name: _altered(source, rows, (at >= cut) | late)}, spine
    yield LATER_ROWS, events, spine.filter(pl.Series(known))
    if label:
        unknown = pl.col(AS_OF) + view.label_delay > cut
        yield UNKNOWN_LABELS, events, spine.with_columns(pl.when(unknown).then(_another(spine, label)).otherwise(label))


def _past(
    view: FeatureView, events: Events, spine: pl.DataFrame, cut_us: int, known: NDArray[np.bool_], label: str
) -> tuple[Events, pl.DataFrame]:
    """Events and spine as they were at the cut: the trials all at once."""
    cut = pl.lit(cut_us).cast(pl.Datetime("us", "UTC"))
    past = {
        source.name: events[source.name].filter((pl.col(source.event_time) < cut) & (pl.col(ARRIVED) <= cut))
        for source in sources_of(view)
    }
    rows = spine.filter(pl.Series(known))
    if label:
        unknown = pl.col(AS_OF) + view.label_delay > cut
        rows = rows.with_columns(pl.when(unknown).then(_another(spine, label)).otherwise(label))
    return {**events, **past}, rows


def _twin_leaks(
    compute: Callable[[Events, pl.DataFrame], Values],
    events: Events,
    spine: pl.DataFrame,
    whole: Values,
    kept: NDArray[np.int64],
) -> list[Leak]:
    """Put a second row before the last one: of the same entity and instant, but with other values. It may not count."""
    last = int(kept[-1])
    numbers = [name for name, kind in spine.schema.items() if kind.is_float()]
    twin = spine.slice(last, 1).with_columns(pl.col(name) * 3 + 17 for name in numbers)
    found = compute(events, pl.concat([spine[:last], twin, spine[last:]]))
    row = np.array([last])
    known = {name: values[row] for name, values in whole.items()}
    again = {name: values[row + 1] for name, values in found.items()}
    return changed_features(known, again, _microseconds(spine[AS_OF])[row], OWN_ROW)


def _added(function: OwnFeatures, events: Events, rows: pl.DataFrame, given: list[str]) -> Values:
    name = getattr(function, "__name__", "the function")
    try:
        found = function(dict(events), rows)
    except Exception as error:
        raise LeakError(
            f"{name} cannot be tried: it raised {type(error).__name__}: {error}. Let it work for any events and rows, "
            "also where some are left out."
        ) from error
    if not isinstance(found, pl.DataFrame):
        raise LeakError(
            f"{name} gives {type(found).__name__} and no Polars DataFrame. Return the spine with more columns."
        )
    if len(found) != len(rows):
        what = counted(len(found), "row")
        raise LeakError(
            f"{name} gives {what} for {counted(len(rows), 'row')} of the spine. Return the spine with more columns: "
            "each row once, in its order."
        )
    added = {each: found[each].to_numpy() for each in found.columns if each not in given}
    if not added:
        raise LeakError(f"{name} adds no column to the spine. Return the spine with the features as columns.")
    return added


def _altered(source: EventSource, rows: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
    names = [field.name for field in source.fields if not field.type.is_instant and not _names(source, field.name)]
    return rows.with_columns(pl.when(which).then(_another(rows, name)).otherwise(name) for name in names)


def _names(source: EventSource, name: str) -> bool:
    """Whether a field is a text or an event's name, by which rows are joined."""
    return source.field(name).is_text or name == source.event_id


def _another(rows: pl.DataFrame, name: str) -> pl.Expr:
    kind = rows.schema[name]
    if kind == pl.Boolean:
        return ~pl.col(name)
    if kind.is_numeric():
        return (pl.col(name) * -1 + 1).cast(kind)
    return pl.col(name) + "~"


def sources_of(view: FeatureView) -> tuple[EventSource, ...]:
    """The sources of a view: of its rows, of its groups, and of its labels."""
    groups = [source for group in view.groups for source in group.sources]
    found = {each.name: each for each in (view.source, *groups, *(each.source for each in view.label_sources))}
    return tuple(found.values())


def _microseconds(times: pl.Series) -> NDArray[np.int64]:
    return times.cast(pl.Datetime("us")).to_physical().to_numpy()
