"""Records of the log with their rows, as they are read aside: nothing of it depends on the records before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from shared_features.definitions import Catalogue, FeatureView
from shared_features.errors import DefinitionError
from training.inference.audit.log_batches.logged_batch import LoggedBatch
from training.inference.audit.log_batches.row_reader import RowReader
from training.inference.audit.logged_rows import LoggedRows
from training.inference.audit.replay.shard_lives import Int64


@dataclass(frozen=True)
class ViewRecords:
    """Records of one view. at: int64[n], their places in the batch, sorted. unknown: why there is no such view.

    rows: of those that can be read. refused: place in the batch -> why the record does not agree with itself. Records
    of the view as it was defined before have neither.
    """

    label: str
    at: Int64
    rows: LoggedRows | None
    refused: Mapping[int, str]
    unknown: str = ""


@dataclass(frozen=True)
class ReadBatch:
    """views: the records that are as they were written, and whose content was not erased.

    batch: without content, where all records are as they were written.
    """

    batch: LoggedBatch
    views: tuple[ViewRecords, ...]


class BatchReader:
    """Reads records of all views of a catalogue. Several threads may at once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._reader = cache(RowReader)

    def read(self, batch: LoggedBatch) -> ReadBatch:
        there = np.flatnonzero(~(batch.faulty | batch.erased))
        labels = batch.shared("view")
        views = [self._of(batch, labels.texts[labels.of[some[0]]], some) for some in batch.alike(("view",), there)]
        return ReadBatch(batch if batch.faulty.any() else batch.without_content(), tuple(views))

    def _of(self, batch: LoggedBatch, label: str, some: Int64) -> ViewRecords:
        try:
            view: FeatureView = self._catalogue.view(label)
        except DefinitionError as error:
            return ViewRecords(label, some, None, {}, str(error))
        defined = batch.shared("view_fingerprint")
        today = some[np.array([each == view.fingerprint for each in defined.texts], np.bool_)[defined.of[some]]]
        if not len(today):
            return ViewRecords(label, some, None, {})
        rows, refused = self._reader(view).rows(batch.take(today))
        return ViewRecords(
            label, some, rows.at(today[rows.records.at]), {int(today[at]): why for at, why in refused.items()}
        )
