"""The stored features of any entities as of any instants, by a replay of the events behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import polars as pl
import structlog
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.entity_keys import EntityKeys, entity_keys
from shared_features.formats.events import EventBatch
from shared_features.formats.offline_tables import ARRIVAL_TIME, RECORD_TIME
from shared_features.group_events import GroupEvents, effects_us, group_events
from shared_features.kernel.event_time import to_text
from shared_features.kernel.replay import replay
from shared_features.kernel.tile_state import TileState
from training.datasets.erasures import erased_from
from training.datasets.given_spine import GivenSpine
from training.datasets.history.entity_slices import EVENTS_AT_ONCE, entity_slices
from training.datasets.history.pinned_history import PinnedHistory
from training.datasets.offline_store import event_columns
from training.datasets.rows.event_series import event_series
from training.errors import DatasetError
from training.progress import Tell, untold

Truth = Literal["as-served", "event-time"]
_LOG = structlog.get_logger(part="dataset")
_LONGEST_LAG_S = 36_500 * 86_400


def lag_to_us(lag_s: Any) -> int:
    """A lag in seconds, as people write it, in microseconds. Raises DatasetError for anything but a length of time."""
    if not isinstance(lag_s, int | float) or not 0 <= lag_s <= _LONGEST_LAG_S:
        raise DatasetError(f"The lag is {lag_s!r}. No event counts before it arrives. Give seconds, 0 or more.")
    return round(lag_s * 1e6)


def stored_at(
    history: PinnedHistory,
    spine: GivenSpine,
    truth: Truth = "as-served",
    lag_us: int = 0,
    tell: Tell = untold,
    events_at_once: int = EVENTS_AT_ONCE,
) -> dict[str, NDArray[np.float64]]:
    """Part name of a group -> float64[n, features of the part].

    lag_us: how long after its arrival an event is in the online store, for *as served*. In *event time* the events
    count that had arrived before the cut. events_at_once: how many events are in memory at most, where no entity alone
    has more. Raises DatasetError where events that a row needs have not arrived yet, or were deleted by retention, or
    for a lag below 0, with which an event would count before it arrived.
    """
    view = spine.view
    if lag_us < 0:
        raise DatasetError(f"The lag is {lag_us / 1e6:g} seconds. No event counts before it arrives. Give 0 or more.")
    _check_reach(history, spine, lag_us if truth == "as-served" else 0)
    if erased := erased_from(history.tables.values()):
        _LOG.info(f"events of {counted(erased, 'erased entity', 'erased entities')} are not in it", view=view.label)
    stored = {}
    for number, group in enumerate(view.groups, 1):
        tell(f"replaying the events of {group.label}", number, len(view.groups))
        stored[group.part_name] = values = np.empty((len(spine), len(group.features)))
        done = 0
        for rows in _slices(group, spine, history, events_at_once):
            if done:
                tell(f"replayed {counted(done, 'row')} of {group.label}", number, len(view.groups))
            values[rows] = _replayed(group, spine.take(rows), history, truth, lag_us)
            done += len(rows)
    return stored


def _check_reach(history: PinnedHistory, spine: GivenSpine, lag_us: int) -> None:
    """Refuse rows whose events have not all arrived, or are gone."""
    for group in spine.view.groups:
        for source in group.sources:
            watermark_us = history.watermark_us(source.name)
            ahead = int((spine.as_of_us - lag_us >= watermark_us).sum())
            if ahead:
                raise DatasetError(
                    f"Events of source {source.name!r} are complete up to {to_text(watermark_us)}. "
                    f"{counted(ahead, 'row')} of the spine {'asks' if ahead == 1 else 'ask'} for later instants, up to "
                    f"{to_text(int(spine.as_of_us.max()))}. Leave them out, or wait for the archive."
                )
            kept_us = history.kept_from_us[source.name]
            early = int((spine.as_of_us < kept_us + group.readable_us).sum()) if kept_us else 0
            if early:
                raise DatasetError(
                    f"Events of source {source.name!r} that arrived before {to_text(kept_us)} were deleted by "
                    f"retention. The windows of {group.label} reach back to them in {counted(early, 'row')} of the "
                    f"spine. Leave out instants before {to_text(kept_us + group.readable_us)}."
                )


def _slices(
    group: FeatureGroup, spine: GivenSpine, history: PinnedHistory, at_once: int
) -> Iterator[NDArray[np.int64]]:
    """The rows, some entities after the other."""
    if len(spine):
        reached = [history.reached(group, source, spine.as_of_us) for source in group.sources]
        yield from entity_slices(_keys(group, group.sources[0], spine), reached, at_once)


def _replayed(
    group: FeatureGroup, spine: GivenSpine, history: PinnedHistory, truth: Truth, lag_us: int
) -> NDArray[np.float64]:
    """float64[n, features of the group]: as of the instant of each row."""
    keys = entity_keys(group.entity, spine.view.source, spine.columns)
    known = pl.DataFrame({"key": keys}).unique(maintain_order=True)
    state = TileState(group.layout)
    known = known.with_columns(slot=pl.Series(state.add(len(known))))
    updates = [_updates(group, source, history, spine, truth, lag_us) for source in group.sources]
    return replay(
        state,
        np.concatenate([_slots(known, events.keys) for events, _ in updates]),
        np.concatenate([effects for _, effects in updates]),
        np.concatenate([events.event_time_us for events, _ in updates]),
        np.concatenate([events.digest for events, _ in updates]),
        np.concatenate([events.values for events, _ in updates]),
        np.concatenate([events.valid for events, _ in updates]),
        _slots(known, keys),
        spine.as_of_us,
    )


def _slots(known: pl.DataFrame, keys: EntityKeys) -> NDArray[np.int64]:
    wanted = pl.DataFrame({"key": keys}, schema={"key": known.schema["key"]})
    return wanted.join(known, on="key", how="left", maintain_order="left")["slot"].to_numpy()


def _updates(
    group: FeatureGroup, source: EventSource, history: PinnedHistory, spine: GivenSpine, truth: Truth, lag_us: int
) -> tuple[GroupEvents, NDArray[np.int64]]:
    """The events of the spine's entities that its windows reach, and from when on each counts."""
    names = [field.name for field in source.fields]
    asked = _keys(group, source, spine).unique()
    frame = (
        history.reached(group, source, spine.as_of_us)
        .select(RECORD_TIME, ARRIVAL_TIME, *names)
        .join(asked.lazy(), on=asked.columns, how="semi")
        .collect(engine="streaming")
    )
    columns, valid = event_columns(source, frame, names)
    batch = EventBatch(source, columns, valid, frame[RECORD_TIME].to_numpy())
    if truth == "event-time":
        batch = replace(batch, record_time_us=batch.event_time_us)  # as if every event had arrived when it happened
    events = group_events(group, batch)
    if truth == "event-time":
        return events, events.event_time_us + 1
    return events, effects_us(frame[ARRIVAL_TIME].to_numpy()[events.rows], events.event_time_us, lag_us)


def _keys(group: FeatureGroup, source: EventSource, spine: GivenSpine) -> pl.DataFrame:
    """The key columns of each row, as the events table of a source holds them."""
    return pl.DataFrame({name: event_series(source, name, spine.columns[name]) for name in group.entity.keys})
