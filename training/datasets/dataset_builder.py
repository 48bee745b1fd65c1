"""From pinned tables to a training dataset: labels known by the cutoff, a time split, the matrix of the view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl
import structlog
from numpy.typing import NDArray

from shared_features.compilation.compilation import compile_in_turn
from shared_features.counted import counted
from shared_features.definitions import LabelSource
from shared_features.feature_matrix import category_codes, feature_matrix, place_categories
from shared_features.formats.dataset_manifest import (
    DatasetManifest,
    DatasetParameters,
    DatasetView,
    LabelCounts,
    PinnedVersion,
    RowCounts,
    TimeSplit,
    WindowCounts,
)
from shared_features.formats.entity_keys import EntityKeys
from shared_features.formats.offline_tables import OFFSET, PARTITION, POSITION
from shared_features.formats.training_run import LABEL
from shared_features.kernel.event_time import spelled_duration, to_text, to_us
from shared_features.kernel.vocabulary import Vocabulary
from training.datasets.categories import Values, find_categories
from training.datasets.erasures import erased_entities
from training.datasets.label_classes import Classes, encode_outcomes, find_classes
from training.datasets.labels import KnownLabels, read_labels
from training.datasets.pinned_view import EVENT_TIME, PinnedView, complete_events
from training.datasets.point_in_time import JoinedRows, read_spine_rows
from training.datasets.sampled_inputs import SampledInputs, sample_inputs
from training.datasets.time_split import GAP, TEST, TRAIN, choose_split
from training.datasets.training_dataset import TrainingDataset, canonical, content_digest
from training.errors import DatasetError
from training.progress import Tell, untold

_LOG = structlog.get_logger(part="dataset")


SENT = "label_sent"
"""Whether somebody sent the label; else it follows from the delay being over."""


def build_dataset(
    pinned: PinnedView, parameters: DatasetParameters, tell: Tell = untold
) -> tuple[TrainingDataset, SampledInputs]:
    """Build a dataset: a pure function of the tables' rows, the definitions and the parameters.

    Rows whose label is not known are left out and counted: by the start of the test window for the train window, by
    the cutoff for what follows it. Raises DatasetError when there is too little to build from.
    """
    compile_in_turn(_LOG.info)
    view = pinned.view
    if erased := erased_entities(pinned):
        _LOG.info(f"events of {counted(erased, 'erased entity', 'erased entities')} are not in it", view=view.label)
    tell("reading labels and events")
    labels, label_source = _labels(pinned, parameters)
    events = complete_events(pinned, label_source.joins)
    labelled = _labelled(events, label_source, labels.resolve(), labels.cutoff_us + 1)
    split = choose_split(
        *_span(labelled, pinned, label_source),
        to_us(label_source.delay),
        parameters,
        labels.cutoff_us + 1 - to_us(label_source.delay),
    )
    rows = read_spine_rows(pinned, split.start_us, split.end_us, tell)
    window = _windows(rows.event_time_us, split)
    train = events.filter(pl.col(EVENT_TIME) < split.train_end_us, pl.col(EVENT_TIME) >= split.start_us)
    early = _labelled(train, label_source, labels.resolve(before_us=split.test_start_us), split.test_start_us)
    at_start, at_cutoff = _at_rows(rows, early), _at_rows(rows, labelled)
    in_train = pl.Series(window == TRAIN)
    outcomes = at_start[LABEL].zip_with(in_train, at_cutoff[LABEL])
    sent = at_start[SENT].zip_with(in_train, at_cutoff[SENT])
    classes = find_classes(label_source, outcomes, window != GAP)
    label = encode_outcomes(outcomes, classes)
    keep = np.flatnonzero(~np.isnan(label))
    tell(f"computing {counted(len(view.columns), 'feature')} of {counted(len(keep), 'row')}")
    matrix = feature_matrix(view, rows.request, rows.event_time_us, rows.stored)[keep]
    codes = category_codes(view, rows.request, rows.stored)[keep] if view.categories else np.empty((len(keep), 0))
    categories = find_categories(pinned, codes[window[keep] == TRAIN])
    places = [(at, Vocabulary(categories[column.name])) for at, column in view.categories]
    matrix = canonical(place_categories(matrix, codes, places))
    entity = parameters.entity or view.groups[0].entity.name
    if entity not in rows.entities:
        raise DatasetError(
            f"View {view.label} has no entity {entity!r}. Its entities are {', '.join(sorted(rows.entities))}. Name "
            "one of them, or name none."
        )
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
        manifest=_manifest(
            pinned,
            labels,
            split,
            parameters,
            entity,
            replace(
                _counts(label, sent.fill_null(value=True).to_numpy(), window, rows, label_source, classes),
                labelled_before=labelled.filter(pl.col(EVENT_TIME) < split.start_us).height,
                labelled_after=labelled.filter(pl.col(EVENT_TIME) >= split.end_us).height,
            ),
            content_digest((*features, *map(repr, (*classes, *categories.items()))), *columns),
            classes,
            categories,
        ),
    )
    return dataset, sample_inputs(rows, parameters.seed)


def _labels(pinned: PinnedView, parameters: DatasetParameters) -> tuple[KnownLabels, LabelSource]:
    view = pinned.view
    if view.labels is None or pinned.labels is None:
        raise DatasetError(
            f"View {view.label} cannot be trained. It has no label source. Give it labels=LabelSource(...)."
        )
    cutoff_us = pinned.cut_us - 1 if parameters.cutoff_us is None else parameters.cutoff_us
    if cutoff_us >= pinned.cut_us:
        raise DatasetError(
            f"The cutoff {to_text(cutoff_us)} is too late. Labels may still arrive at {to_text(pinned.cut_us)} or "
            "later, and then the dataset could not be built again. Give an earlier --cutoff, or wait until materialize "
            "is beyond it."
        )
    return read_labels(view.labels, pinned.labels, cutoff_us), view.labels


def _labelled(events: pl.DataFrame, source: LabelSource, resolved: pl.DataFrame, known_us: int) -> pl.DataFrame:
    """Position, event time and label of the events whose label is in `resolved`, and whether it was sent.

    known_us: the instant before which what is in `resolved` had arrived. An event whose delay was over by then has the
    label that the source gives to those without one.
    """
    columns = (*POSITION, EVENT_TIME, LABEL, SENT)
    if source.otherwise is None:
        return (
            events.join(resolved, on=source.joins, how="inner").with_columns(pl.lit(True).alias(SENT)).select(columns)
        )
    found = events.join(resolved, on=source.joins, how="left").with_columns(pl.col(LABEL).is_not_null().alias(SENT))
    over = pl.col(EVENT_TIME) + to_us(source.delay) < known_us
    without = pl.lit(source.otherwise if source.is_named else float(source.otherwise))
    label = pl.when(SENT).then(LABEL).when(over).then(without).alias(LABEL)
    return found.with_columns(label).filter(pl.col(LABEL).is_not_null()).select(columns)


def _span(labelled: pl.DataFrame, pinned: PinnedView, source: LabelSource) -> tuple[int, int]:
    if labelled.is_empty():
        raise DatasetError(
            f"No event of {pinned.view.source.name!r} below the cut has a label known by the cutoff. Labels of "
            f"{source.source.name!r} come {spelled_duration(source.delay)} after their event. Stream more history, or "
            "wait."
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


def _at_rows(rows: JoinedRows, labelled: pl.DataFrame) -> pl.DataFrame:
    """The outcome of each row and whether it was sent, null where it is not known."""
    positions = pl.DataFrame({PARTITION: rows.partition, OFFSET: rows.offset})
    return positions.join(labelled.select(*POSITION, LABEL, SENT), on=POSITION, how="left", maintain_order="left")


def _codes(keys: EntityKeys) -> NDArray[np.int64]:
    if not isinstance(keys, list):
        return keys
    return np.unique(np.array(keys, np.str_), return_inverse=True)[1].astype(np.int64)


def _counts(
    label: NDArray[np.float64],
    sent: NDArray[np.bool_],
    window: NDArray[np.int8],
    rows: JoinedRows,
    source: LabelSource,
    classes: Classes,
) -> RowCounts:
    def count(code: int) -> WindowCounts:
        found = label[window == code]
        known = found[~np.isnan(found)]
        positive = 0 if source.kind == "multiclass" else int((known > 0).sum())
        by_class = np.bincount(known.astype(np.int64), minlength=len(classes)).tolist() if classes else ()
        without = int((~sent & (window == code) & ~np.isnan(label)).sum())
        return WindowCounts(len(known), positive, len(found) - len(known), tuple(by_class), without)

    return RowCounts(rows.copies, count(TRAIN), count(GAP), count(TEST))


def _manifest(
    pinned: PinnedView,
    labels: KnownLabels,
    split: TimeSplit,
    parameters: DatasetParameters,
    entity: str,
    rows: RowCounts,
    digest: str,
    classes: Classes,
    categories: Mapping[str, Values],
) -> DatasetManifest:
    view = pinned.view
    return DatasetManifest(
        view=DatasetView(view.name, view.version, view.fingerprint),
        groups={group.label: group.fingerprint for group in view.groups},
        cut_us=pinned.cut_us,
        allowed_lateness_us=pinned.lateness_us,
        tables={each.name: PinnedVersion(each.version, tuple(each.files)) for each in pinned.tables},
        labels=LabelCounts(labels.cutoff_us, labels.events.height, labels.conflicts),
        split=split,
        entity=entity,
        parameters=parameters,
        features=tuple(column.name for column in view.columns),
        rows=rows,
        digest=digest,
        erased_entities=erased_entities(pinned),
        task="binary" if view.labels is None else view.labels.kind,
        classes=classes,
        categories=categories,
    )
