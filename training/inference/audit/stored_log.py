"""The prediction log as the lake has it, some records at a time, in about the order in which they arrived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shared_features.errors import FormatVersionError
from shared_features.formats.offline_tables import ARRIVAL_TIME, KEPT_FROM_APP, WATERMARK_APP, events_table
from shared_features.formats.prediction_log import SOURCE_NAME, LoggedPrediction, prediction_source
from training.datasets.offline_store import OfflineStore
from training.inference.audit.log_batches.logged_batch import FEW_DIFFER, NAMES, LoggedBatch

_RECORDS_AT_ONCE = 8_192
Numbers = Mapping[str, Set[int]]
"""By process, numbers of its answers."""


class StoredLog:
    """The log at one version of its table. Raises DatasetError where there is no log."""

    def __init__(self, store: OfflineStore) -> None:
        self._table = store.pin(events_table(prediction_source("any"))).table

    @property
    def complete_until_us(self) -> int:
        """No record that arrived before is missing, or comes later; 0 where that is unknown."""
        return int(self._table.transaction_version(WATERMARK_APP) or 0)

    @property
    def is_cut(self) -> bool:
        """Whether retention has deleted its first days."""
        return bool(self._table.transaction_version(KEPT_FROM_APP))

    def batches(self) -> Iterator[LoggedBatch]:
        """All records, in the same order each time. Raises FormatVersionError."""
        for path in self._paths():
            if lacking := set(NAMES) - set(pq.read_schema(path).names):
                raise FormatVersionError(
                    f"A file of the prediction log has no column {min(lacking)}. Read the table "
                    f"events_{SOURCE_NAME}, and restore the file where it was replaced."
                )
            with pq.ParquetFile(path, memory_map=True, read_dictionary=list(FEW_DIFFER)) as file:
                yield from map(LoggedBatch.of_file, file.iter_batches(_RECORDS_AT_ONCE, columns=list(NAMES)))

    def numbered(self, numbers: Numbers) -> Iterator[LoggedPrediction]:
        """The records with these numbers, in the same order. Raises FormatVersionError."""
        for batch in self.batches():
            processes, counters = batch.shared("instance"), batch.integers("counter")
            for place, process in enumerate(processes.texts):
                if process in numbers:
                    among = np.isin(counters, list(numbers[process])) & (processes.of == place)
                    yield from map(batch.record, np.flatnonzero(among).tolist())

    def _paths(self) -> list[str]:
        """Of the data files, those with the earliest arrivals first."""
        files = pa.table(self._table.get_add_actions(flatten=True))
        first_us = f"min.{ARRIVAL_TIME}"
        arrived_us = files[first_us].to_pylist() if first_us in files.column_names else [None] * files.num_rows
        root = self._table.table_uri.removeprefix("file://").rstrip("/")
        order = sorted(zip((each or 0 for each in arrived_us), files["path"].to_pylist(), strict=True))
        return [f"{root}/{path}" for _, path in order]
