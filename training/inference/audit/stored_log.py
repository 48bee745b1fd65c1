"""The prediction log as the lake has it, some records at a time, in about the order in which they arrived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

import pyarrow as pa
import pyarrow.parquet as pq

from shared_features.errors import FormatVersionError
from shared_features.formats.offline_tables import ARRIVAL_TIME, events_table
from shared_features.formats.prediction_log import SOURCE_NAME, LoggedPrediction, prediction_source
from training.datasets.offline_store import OfflineStore

_NAMES = LoggedPrediction.__struct_fields__
_RECORDS_AT_ONCE = 4_096
Numbers = Mapping[str, Set[int]]
"""By process, numbers of its answers."""


class StoredLog:
    """The log at one version of its table. Raises DatasetError where there is no log."""

    def __init__(self, store: OfflineStore) -> None:
        self._table = store.pin(events_table(prediction_source("any"))).table

    def records(self, numbered: Numbers | None = None) -> Iterator[list[LoggedPrediction]]:
        """All records, or those with these numbers alone; in the same order each time. Raises FormatVersionError."""
        for path in self._paths():
            with pq.ParquetFile(path, memory_map=True) as file:
                if lacking := set(_NAMES) - set(file.schema_arrow.names):
                    raise FormatVersionError(
                        f"A file of the prediction log has no column {min(lacking)}. Read the table "
                        f"events_{SOURCE_NAME}, and restore the file where it was replaced."
                    )
                for batch in file.iter_batches(_RECORDS_AT_ONCE, columns=list(_NAMES)):
                    found = list(map(LoggedPrediction, *(batch.column(name).to_pylist() for name in _NAMES)))
                    yield found if numbered is None else [each for each in found if _is_among(each, numbered)]

    def _paths(self) -> list[str]:
        """Of the data files, those with the earliest arrivals first."""
        files = pa.table(self._table.get_add_actions(flatten=True))
        first_us = f"min.{ARRIVAL_TIME}"
        arrived_us = files[first_us].to_pylist() if first_us in files.column_names else [None] * files.num_rows
        root = self._table.table_uri.removeprefix("file://").rstrip("/")
        order = sorted(zip((each or 0 for each in arrived_us), files["path"].to_pylist(), strict=True))
        return [f"{root}/{path}" for _, path in order]


def _is_among(record: LoggedPrediction, numbered: Numbers) -> bool:
    return record.counter in numbered.get(record.instance, ())
