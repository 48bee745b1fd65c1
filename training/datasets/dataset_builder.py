"""From pinned tables to a training dataset: labels known by the cutoff, a time split, the matrix of the view."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
import structlog
from deltalake import DeltaTable
from numpy.typing import NDArray

from shared_features.definitions import LabelSource
from shared_features.feature_matrix import feature_matrix
from shared_features.formats.entity_keys import EntityKeys
from shared_features.formats.offline_tables import ERASURES_APP, OFFSET, PARTITION, POSITION
from shared_features.kernel.event_time import to_us
from training.datasets.labels import LABEL, KnownLabels, read_labels
from training.datasets.point_in_time import EVENT_TIME, JoinedRows, PinnedView, complete_events, read_spine_rows
from training.datasets.sampled_inputs import SampledInputs, sample_inputs
from training.datasets.time_split import GAP, TEST, TRAIN, TimeSplit, choose_split
from training.datasets.training_dataset import TrainingDataset, canonical, content_digest
from training.errors import DatasetError

_LOG = structlog.get_logger(part="dataset")


@dataclass(frozen=True)
class DatasetParameters:
    """What a caller asks of a dataset; None takes the default that the data allow (`time_split.choose_split`).

    cutoff_us: labels that arrived later are unknown; default the last instant below the cut. entity: whose precision
    is measured; default that of the view's first group.
    """

    cutoff_us: int | None = None
    train_days: float | None = None
    delay_days: float | None = None
    test_days: float | None = None
    entity: str | None = None
    seed: int = 0


def build_dataset(pinned: PinnedView, parameters: DatasetParameters) -> tuple[TrainingDataset, SampledInputs]:
    """Build a dataset: a pure function of the tables' rows, the definitions and the parameters.

    Rows whose label is not known are left out and counted: by the start of the test window for the train window, by
    the cutoff for what follows it. Raises DatasetError when there is too little to build from.
    """
    view = pinned.view
    if erased := _erased(pinned):
        _LOG.info(f"events of {erased} erased entities are not in it", view=view.label)
    labels, label_source = _labels(pinned, parameters)
    events = complete_events(pinned, (label_source.join,))
    labelled = _labelled(events, label_source, labels.resolve())
    split = choose_split(
        *_span(labelled, pinned, label_source),
        to_us(label_source.delay),
        parameters.train_days,
        parameters.delay_days,
        parameters.test_days,
    )
    rows = read_spine_rows(pinned, split.start_us, split.end_us)
    window = _windows(rows.event_time_us, split)
    train = events.filter(pl.col(EVENT_TIME) < split.train_end_us, pl.col(EVENT_TIME) >= split.start_us)
    early = _labelled(train, label_source, labels.resolve(before_us=split.test_start_us))
    label = np.where(window == TRAIN, _label_at(rows, early), _label_at(rows, labelled))
    keep = np.flatnonzero(~np.isnan(label))
    matrix = canonical(feature_matrix(view, rows.request, rows.event_time_us, rows.stored)[keep])
    entity = parameters.entity or view.groups[0].entity.name
    if entity not in rows.entities:
        raise DatasetError(f"view {view.label} has no entity {entity!r}; it has {sorted(rows.entities)}")
    features = tuple(column.name for column in view.columns)
    columns = (matrix, label[keep], rows.partition[keep], rows.offset[keep], window[keep])
    dataset = TrainingDataset(
        features=features,
        matrix=matrix,
        label=label[keep],
        window=window[keep],
        partition=rows.partition[keep],
        offset=rows.offset[keep],
        event_time_us=rows.event_time_us[keep],
        entity=_codes(rows.entities[entity])[keep],
        description={
            **_describe(pinned, labels, split, parameters, entity),
            "features": list(features),
            "rows": _counts(label, window, rows),
            "digest": content_digest(features, *columns),
        },
    )
    return dataset, sample_inputs(rows, parameters.seed)


def _erased(pinned: PinnedView) -> int:
    """How many entities were erased from its events tables, on request."""
    tables = [pinned.events, *([pinned.labels] if pinned.labels else [])]
    return max(each.table.transaction_version(ERASURES_APP) or 0 for each in tables)


def erased_since(pinned: PinnedView) -> list[str]:
    """The tables that entities were erased from since they were pinned."""
    return [
        each.name
        for each in pinned.tables
        if DeltaTable(each.table.table_uri).transaction_version(ERASURES_APP)
        != each.table.transaction_version(ERASURES_APP)
    ]


def _labels(pinned: PinnedView, parameters: DatasetParameters) -> tuple[KnownLabels, LabelSource]:
    view = pinned.view
    if view.labels is None or pinned.labels is None:
        raise DatasetError(f"view {view.label} has no label source, so it cannot be trained; give it `labels=`")
    cutoff_us = pinned.cut_us - 1 if parameters.cutoff_us is None else parameters.cutoff_us
    if cutoff_us >= pinned.cut_us:
        raise DatasetError(
            f"cutoff {cutoff_us} us is not before the cut {pinned.cut_us} us, so labels may still arrive and the "
            "dataset could not be built again; give an earlier --cutoff, or wait until materialize is beyond it"
        )
    return read_labels(view.labels, pinned.labels, cutoff_us), view.labels


def _labelled(events: pl.DataFrame, source: LabelSource, resolved: pl.DataFrame) -> pl.DataFrame:
    """Position, event time and label of the events whose label is in `resolved`."""
    return events.join(resolved, on=source.join, how="inner").select(*POSITION, EVENT_TIME, LABEL)


def _span(labelled: pl.DataFrame, pinned: PinnedView, source: LabelSource) -> tuple[int, int]:
    if labelled.is_empty():
        raise DatasetError(
            f"no event of {pinned.view.source.name!r} below the cut has a label known by the cutoff: labels of "
            f"{source.source.name!r} come {source.delay} after their event; stream more history or wait"
        )
    first, last = labelled.select(pl.col(EVENT_TIME).min().alias("first"), pl.col(EVENT_TIME).max().alias("last")).row(
        0
    )
    return int(first), int(last)


def _windows(event_time_us: NDArray[np.int64], split: TimeSplit) -> NDArray[np.int8]:
    window = np.full(len(event_time_us), GAP, np.int8)
    window[event_time_us < split.train_end_us] = TRAIN
    window[event_time_us >= split.test_start_us] = TEST
    return window


def _label_at(rows: JoinedRows, labelled: pl.DataFrame) -> NDArray[np.float64]:
    positions = pl.DataFrame({PARTITION: rows.partition, OFFSET: rows.offset})
    joined = positions.join(labelled.select(*POSITION, LABEL), on=POSITION, how="left", maintain_order="left")
    return joined[LABEL].fill_null(float("nan")).to_numpy()


def _codes(keys: EntityKeys) -> NDArray[np.int64]:
    if not isinstance(keys, list):
        return keys
    return np.unique(np.array(keys, np.str_), return_inverse=True)[1].astype(np.int64)


def _counts(label: NDArray[np.float64], window: NDArray[np.int8], rows: JoinedRows) -> dict[str, Any]:
    counts: dict[str, Any] = {"copies_left_out": rows.copies}
    for name, code in (("train", TRAIN), ("gap", GAP), ("test", TEST)):
        found = label[window == code]
        known = found[~np.isnan(found)]
        unknown = len(found) - len(known)
        counts[name] = {"labelled": len(known), "positive": int((known > 0).sum()), "unknown_label_left_out": unknown}
    return counts


def _describe(
    pinned: PinnedView, labels: KnownLabels, split: TimeSplit, parameters: DatasetParameters, entity: str
) -> dict[str, Any]:
    view = pinned.view
    tables = {each.name: {"version": each.version, "files": each.files} for each in pinned.tables}
    return {
        "schema_version": 1,
        "view": {"name": view.name, "version": view.version, "fingerprint": view.fingerprint},
        "groups": {group.label: group.fingerprint for group in view.groups},
        "cut_us": pinned.cut_us,
        "allowed_lateness_us": pinned.lateness_us,
        "erased_entities": _erased(pinned),
        "tables": tables,
        "labels": {"cutoff_us": labels.cutoff_us, "known": labels.events.height, "conflicting": labels.conflicts},
        "split": {
            "start_us": split.start_us,
            "train_us": split.train_us,
            "gap_us": split.gap_us,
            "test_us": split.test_us,
        },
        "entity": entity,
        "parameters": asdict(parameters),
    }
