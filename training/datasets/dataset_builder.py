"""From pinned tables to a training dataset: labels known by the cutoff, a time split, the matrix of the view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import structlog
from numpy.typing import NDArray

from shared_features.compilation.compilation import compile_in_turn
from shared_features.counted import counted
from shared_features.definitions import FeatureView
from shared_features.formats.dataset_manifest import (
    DatasetManifest,
    DatasetParameters,
    DatasetView,
    LabelCounts,
    PinnedVersion,
    RowCounts,
    TimeSplit,
)
from shared_features.formats.entity_keys import EntityKeys
from shared_features.kernel.event_time import spelled_duration, to_text, to_us
from shared_features.kernel.vocabulary import Vocabulary
from training.datasets.categories import Values, find_categories
from training.datasets.erasures import erased_entities
from training.datasets.label_classes import Classes, encode_outcomes, find_classes
from training.datasets.outcomes.row_counts import count_rows
from training.datasets.outcomes.spine_outcomes import complete_rows, split_outcomes
from training.datasets.outcomes.view_labels import ViewLabels, complete_labels_us, read_view_labels
from training.datasets.pinned_view import PinnedView
from training.datasets.rows.freed_memory import give_back
from training.datasets.rows.joined_spine import join_spine
from training.datasets.rows.matrix_columns import view_values
from training.datasets.rows.memory_pages import small_pages
from training.datasets.sampled_inputs import SampledInputs, sampled_rows
from training.datasets.time_split import GAP, TEST, TRAIN, choose_split
from training.datasets.training_dataset import TrainingDataset, content_digest
from training.errors import DatasetError
from training.progress import Tell, untold

_LOG = structlog.get_logger(part="dataset")


@small_pages()
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
    labels, delay_us = _labels(pinned, parameters), to_us(view.label_delay)
    label_source = labels.sources[0]  # all have its task and classes
    every, history = complete_rows(pinned, labels)
    outcomes = history.outcomes(labels)
    known_us = history.event_time_us[outcomes.known]
    split = choose_split(*_span(known_us, view), delay_us, parameters, labels.cutoff_us + 1 - delay_us)
    history, lines = history.without_lines(split.start_us, split.end_us)
    spine = join_spine(pinned, split.start_us, split.end_us, tell, every, lines)
    del lines
    entity = _entity(view, parameters)
    window = _windows(spine.event_time_us, split)
    places, train = history.within(split.start_us, split.end_us), np.flatnonzero(window == TRAIN)
    if spine.copies:
        places = every.index.find(spine.partition, spine.offset)
    of_train = history.take(places[train])
    outcomes = split_outcomes(labels, outcomes.take(places), train, of_train, split.test_start_us)
    classes = find_classes(label_source, outcomes.label, window != GAP)
    label = encode_outcomes(outcomes.label, classes)
    counts = replace(
        count_rows(labels, outcomes, label, window, classes, spine.copies),
        labelled_before=int((known_us < split.start_us).sum()),
        labelled_after=int((known_us >= split.end_us).sum()),
    )
    label_counts = history.label_counts(labels)
    del labels, every, history, outcomes, known_us, places, train, of_train  # their memory is for the matrix
    keep = np.flatnonzero(~np.isnan(label))
    tell(f"computing {counted(len(view.columns), 'feature')} of {counted(len(keep), 'row')}")
    sample = spine.take(sampled_rows(len(spine), parameters.seed))
    rows, window, label = spine.take(keep), window[keep], label[keep]
    del spine, keep
    give_back()
    values = view_values(rows, sample, tell)
    categories = find_categories(pinned, values.codes[window == TRAIN])
    for place, (at, column) in enumerate(view.categories):
        values.matrix[:, at] = Vocabulary(categories[column.name]).places(values.codes[:, place])
    features = tuple(column.name for column in view.columns)
    columns = (values.matrix, label, rows.partition, rows.offset, window)
    dataset = TrainingDataset(
        features=features,
        matrix=values.matrix,
        label=label,
        window=window,
        partition=rows.partition,
        offset=rows.offset,
        event_time_us=rows.event_time_us,
        entity=entity_codes(rows.entity_keys(entity)),
        manifest=_manifest(
            pinned,
            label_counts,
            split,
            parameters,
            entity,
            counts,
            content_digest((*features, *map(repr, (*classes, *categories.items()))), *columns),
            classes,
            categories,
        ),
    )
    return dataset, SampledInputs(sample.request(), values.sampled, sample.event_time_us)


def _labels(pinned: PinnedView, parameters: DatasetParameters) -> ViewLabels:
    view = pinned.view
    if not pinned.labels:
        raise DatasetError(
            f"View {view.label} cannot be trained. It has no label source. Give it labels=LabelSource(...)."
        )
    complete_us = complete_labels_us(view, pinned.labels, pinned.cut_us)
    cutoff_us = complete_us - 1 if parameters.cutoff_us is None else parameters.cutoff_us
    if cutoff_us >= complete_us:
        raise DatasetError(
            f"The cutoff {to_text(cutoff_us)} is too late. Labels may still arrive at {to_text(complete_us)} or "
            "later, and then the dataset could not be built again. Give an earlier --cutoff, or wait until materialize "
            "is beyond it."
        )
    return read_view_labels(view, pinned.labels, cutoff_us)


def _span(known_us: NDArray[np.int64], view: FeatureView) -> tuple[int, int]:
    if not len(known_us):
        come = " and ".join(
            f"labels of {each.source.name!r} come {spelled_duration(each.delay)} after their event"
            for each in view.label_sources
        )
        raise DatasetError(
            f"No event of {view.source.name!r} below the cut has a label known by the cutoff. {come[0].upper()}"
            f"{come[1:]}. Stream more history, or wait."
        )
    return int(known_us.min()), int(known_us.max())


def _entity(view: FeatureView, parameters: DatasetParameters) -> str:
    known = [group.entity.name for group in view.groups]
    entity = parameters.entity or known[0]
    if entity not in known:
        raise DatasetError(
            f"View {view.label} has no entity {entity!r}. Its entities are {', '.join(sorted(set(known)))}. Name "
            "one of them, or name none."
        )
    return entity


def _windows(event_time_us: NDArray[np.int64], split: TimeSplit) -> NDArray[np.int8]:
    window = np.full(len(event_time_us), GAP, np.int8)
    window[event_time_us < split.train_end_us] = TRAIN
    window[event_time_us >= split.test_start_us] = TEST
    return window


def entity_codes(keys: EntityKeys) -> NDArray[np.int64]:
    """int64[n]: the keys, or of texts the rank of each among them."""
    if not isinstance(keys, list):
        return keys
    return np.unique(np.array(keys, np.str_), return_inverse=True)[1].astype(np.int64)


def _manifest(
    pinned: PinnedView,
    labels: LabelCounts,
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
        labels=labels,
        split=split,
        entity=entity,
        parameters=parameters,
        features=tuple(column.name for column in view.columns),
        rows=rows,
        digest=digest,
        erased_entities=erased_entities(pinned),
        task="binary" if view.predicted is None else view.predicted.kind,
        classes=classes,
        categories=categories,
    )
