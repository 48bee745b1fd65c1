"""Historical features: the values of a view for any entities as of any instants, by a replay of the stored events.

The feature rows of materialize are those of a view's own events. Here the rows are a user's, so the same engine
replays the events of their entities. *As served* an event counts from the instant at which the online store could have
had it; in *event time* it counts right after it happened, whenever it arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import polars as pl
import structlog
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions import EventSource, FeatureGroup
from shared_features.feature_matrix import category_codes, feature_matrix, request_floats
from shared_features.formats.entity_keys import EntityKeys, entity_keys
from shared_features.formats.events import EventBatch
from shared_features.formats.offline_tables import ARRIVAL_TIME, RECORD_TIME, WATERMARK_APP
from shared_features.group_events import GroupEvents, effects_us, group_events
from shared_features.kernel.event_time import to_text
from shared_features.kernel.replay import replay
from shared_features.kernel.tile_state import TileState
from training.datasets.categories import named_values
from training.datasets.erasures import erased_from
from training.datasets.given_spine import GivenSpine
from training.datasets.offline_store import OfflineStore, PinnedTable, event_columns
from training.datasets.training_dataset import canonical
from training.errors import DatasetError
from training.progress import Tell, untold

Truth = Literal["as-served", "event-time"]
_LOG = structlog.get_logger(part="dataset")


def historical_features(
    store: OfflineStore, spine: GivenSpine, truth: Truth = "as-served", lag_us: int = 0, tell: Tell = untold
) -> pl.DataFrame:
    """The given table with a column for each feature of the view, in the view's order: float32, or a category's value.

    lag_us: how long after its arrival an event is in the online store, for *as served*. Raises DatasetError where
    events that a row needs have not arrived yet, or were deleted by retention.
    """
    view = spine.view
    tables = {
        source.name: store.pin_events(source)
        for source in {each.name: each for group in view.groups for each in group.sources}.values()
    }
    _check_reach(store, spine, tables, lag_us if truth == "as-served" else 0)
    if erased := erased_from(tables.values()):
        _LOG.info(f"events of {counted(erased, 'erased entity', 'erased entities')} are not in it", view=view.label)
    stored = {}
    for number, group in enumerate(view.groups, 1):
        tell(f"replaying the events of {group.label}", number, len(view.groups))
        stored[group.part_name] = _values(group, spine, tables, truth, lag_us)
    request = request_floats(view.source, spine.columns, spine.valid)
    matrix = canonical(feature_matrix(view, request, spine.as_of_us, stored))
    codes = category_codes(view, request, stored)
    features: dict[str, Any] = {column.name: matrix[:, at] for at, column in enumerate(view.columns)}
    for at, (_, column) in enumerate(view.categories):
        (given,) = column.inputs
        if given.field is not None:
            features[column.name] = spine.given[given.field]
        elif given.feature is not None:
            theirs = [tables[source.name] for source in given.feature.group.sources]
            features[column.name] = named_values(view, column, codes[:, at], theirs)
    _refuse_other_columns(spine)
    return spine.given.with_columns(**{name: pl.Series(name, values) for name, values in features.items()})


def _refuse_other_columns(spine: GivenSpine) -> None:
    """A column of the name of a feature is only right where the feature is that request field."""
    view = spine.view
    same = {each.name for each in view.columns if each.function is None and each.inputs[0].field == each.name}
    if taken := [each.name for each in view.columns if each.name in spine.given.columns and each.name not in same]:
        raise DatasetError(
            f"The spine has columns with the names of features: {', '.join(taken)}. The features of view {view.label} "
            "would replace them. Rename or drop these columns."
        )


def _check_reach(store: OfflineStore, spine: GivenSpine, tables: Mapping[str, PinnedTable], lag_us: int) -> None:
    """Refuse rows whose events have not all arrived, or are gone."""
    for group in spine.view.groups:
        for source in group.sources:
            table = tables[source.name].table
            watermark_us = table.transaction_version(WATERMARK_APP) or 0
            ahead = int((spine.as_of_us - lag_us >= watermark_us).sum())
            if ahead:
                raise DatasetError(
                    f"Events of source {source.name!r} are complete up to {to_text(watermark_us)}. "
                    f"{counted(ahead, 'row')} of the spine {'asks' if ahead == 1 else 'ask'} for later instants, up to "
                    f"{to_text(int(spine.as_of_us.max()))}. Leave them out, or wait for the archive."
                )
            kept_us = store.kept_from_us(source)
            early = int((spine.as_of_us < kept_us + group.readable_us).sum()) if kept_us else 0
            if early:
                raise DatasetError(
                    f"Events of source {source.name!r} that arrived before {to_text(kept_us)} were deleted by "
                    f"retention. The windows of {group.label} reach back to them in {counted(early, 'row')} of the "
                    f"spine. Leave out instants before {to_text(kept_us + group.readable_us)}."
                )


def _values(
    group: FeatureGroup, spine: GivenSpine, tables: Mapping[str, PinnedTable], truth: Truth, lag_us: int
) -> NDArray[np.float64]:
    """float64[n, features of the group]: as of the instant of each row."""
    if not len(spine):
        return np.empty((0, len(group.features)))
    keys = entity_keys(group.entity, spine.view.source, spine.columns)
    known = pl.DataFrame({"key": keys}).unique(maintain_order=True)
    state = TileState(group.layout)
    known = known.with_columns(slot=pl.Series(state.add(len(known))))
    updates = [_updates(group, source, tables[source.name], spine, truth, lag_us) for source in group.sources]
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
    group: FeatureGroup, source: EventSource, table: PinnedTable, spine: GivenSpine, truth: Truth, lag_us: int
) -> tuple[GroupEvents, NDArray[np.int64]]:
    """The events of the spine's entities that its windows reach, and from when on each counts."""
    names = [field.name for field in source.fields]
    asked = {name: _stored_column(source, name, spine.columns[name]) for name in group.entity.keys}
    time = pl.col(source.event_time)
    hop_us = max(spec.hop_us for spec in group.layout.features)
    first_us = int(spine.as_of_us.min()) - group.readable_us - hop_us
    frame = (
        table.scan()
        .filter((time >= first_us) & (time < int(spine.as_of_us.max())))
        .select(RECORD_TIME, ARRIVAL_TIME, *names)
        .join(pl.DataFrame(asked).unique().lazy(), on=list(group.entity.keys), how="semi")
        .collect()
    )
    columns, valid = event_columns(source, frame, names)
    batch = EventBatch(source, columns, valid, frame[RECORD_TIME].to_numpy())
    if truth == "event-time":
        batch = replace(batch, record_time_us=batch.event_time_us)  # as if every event had arrived when it happened
    events = group_events(group, batch)
    if truth == "event-time":
        return events, events.event_time_us + 1
    return events, effects_us(frame[ARRIVAL_TIME].to_numpy()[events.rows], events.event_time_us, lag_us)


def _stored_column(source: EventSource, name: str, column: NDArray[Any]) -> pl.Series:
    """A column of keys as the events table holds it."""
    kind = {"boolean": pl.Boolean, "text": pl.String, "integer": pl.Int64}[source.field(name).type.storage]
    return pl.Series(name, column.tolist()).cast(kind)
