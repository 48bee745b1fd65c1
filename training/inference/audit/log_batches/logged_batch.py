"""Some records of the prediction log as the columns of their file; one becomes an object where it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shared_features.formats.logged_columns import Column, Int64, Shared, Texts, record_digests
from shared_features.formats.prediction_log import SCHEMA_VERSION, LoggedPrediction

NAMES = LoggedPrediction.__struct_fields__
FEW_DIFFER = ("instance", "view", "view_fingerprint", "model", "model_digest", "receipt", "caller", "release")
"""Columns of which a file stores each value once."""
_CONTENT = "instants", "request", "features", "scores", "receipt"
_KINDS = {name: str(kind) for name, kind in LoggedPrediction.__annotations__.items()}


class LoggedBatch:
    """`n` records, in the order of the file."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        """batch: the columns of `LoggedPrediction`, those of few values as dictionaries."""
        self._batch = batch
        self._shared: dict[str, Shared] = {}

    def __len__(self) -> int:
        return int(self._batch.num_rows)

    @classmethod
    def of(cls, records: Sequence[LoggedPrediction]) -> LoggedBatch:
        """These records."""
        columns = [pa.array([getattr(each, name) for each in records], _arrow(kind)) for name, kind in _KINDS.items()]
        return cls.of_file(pa.RecordBatch.from_arrays(columns, list(_KINDS)))

    @classmethod
    def of_file(cls, batch: pa.RecordBatch) -> LoggedBatch:
        """A batch as a file has it."""
        columns = [_as_kept(name, batch.column(name)) for name in NAMES]
        return cls(pa.RecordBatch.from_arrays(columns, list(NAMES)))

    def id(self, row: int) -> str:
        return str(self.ids[row].as_py())

    def record(self, row: int) -> LoggedPrediction:
        return LoggedPrediction(*(self._batch.column(name)[row].as_py() for name in NAMES))

    def take(self, rows: Int64) -> LoggedBatch:
        """These records, in this order."""
        return self if len(rows) == len(self) else LoggedBatch(self._batch.take(pa.array(rows)))

    def without_content(self) -> LoggedBatch:
        """The same records without what was asked, seen and said, which takes most of the memory."""
        columns = [pa.nulls(len(self), pa.string()) if name in _CONTENT else self._batch.column(name) for name in NAMES]
        found = LoggedBatch(pa.RecordBatch.from_arrays(columns, list(NAMES)))
        found.faulty, found.erased = self.faulty, self.erased
        found._shared = {name: each for name, each in self._shared.items() if name not in _CONTENT}
        return found

    def texts(self, name: str) -> Texts:
        """A column of which most values differ."""
        column = self._batch.column(name)
        _, offsets, data = column.buffers()
        bounds = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
        return Texts(np.frombuffer(data or b"", np.uint8), bounds if len(column) else np.zeros(1, np.int64))

    @property
    def ids(self) -> pa.Array:
        return self._batch.column("id")

    def shared(self, name: str) -> Shared:
        """A column of which few values differ."""
        if name not in self._shared:
            self._shared[name] = _used(self._batch.column(name))
        return self._shared[name]

    def integers(self, name: str) -> Int64:
        found: Int64 = _filled(self._batch.column(name), 0).to_numpy(zero_copy_only=False)
        return found

    def flags(self, name: str) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = _filled(self._batch.column(name), False).to_numpy(zero_copy_only=False)
        return found

    def alike(self, names: Sequence[str], some: Int64) -> list[Int64]:
        """These records in groups that have equal values of some columns of few or of whole numbers."""
        codes = np.stack([self.shared(each).of if each in FEW_DIFFER else self.integers(each) for each in names])[
            :, some
        ]
        if not codes.size or (codes == codes[:, :1]).all():
            return [some] if len(some) else []
        _, of = np.unique(codes, axis=1, return_inverse=True)
        return [some[of == group] for group in range(int(of.max()) + 1)]

    @cached_property
    def erased(self) -> NDArray[np.bool_]:
        """bool[n]: whose content was erased: `is_erased`."""
        found: NDArray[np.bool_] = self.texts("request").sizes == 0
        return found

    @cached_property
    def faulty(self) -> NDArray[np.bool_]:
        """bool[n]: of another schema, or another record than was written."""
        found = np.ones(len(self), np.bool_)
        whole = np.flatnonzero(~self._lacking())
        chosen = self.take(whole)
        digests = record_digests({name: chosen._column(name, kind) for name, kind in _KINDS.items()}, len(chosen))
        same = chosen.texts("digest").are(digests)
        found[whole] = ~same | (chosen.integers("schema_version") != SCHEMA_VERSION)
        return found

    def _lacking(self) -> NDArray[np.bool_]:
        """bool[n]: which have no value in some column."""
        found = np.zeros(len(self), np.bool_)
        for name in NAMES:
            if (column := self._batch.column(name)).null_count:
                found |= column.is_null().to_numpy(zero_copy_only=False)
        return found

    def _column(self, name: str, kind: str) -> Column:
        if name in FEW_DIFFER:
            return self.shared(name)
        if kind == "str":
            return self.texts(name)
        return self.integers(name) if kind == "int" else self.flags(name)


def _used(column: pa.DictionaryArray) -> Shared:
    """Of the values of a file those that these records have."""
    if column.null_count:
        column = column.cast(pa.string()).fill_null("").dictionary_encode()
    indices = column.indices.to_numpy(zero_copy_only=False)
    if len(indices) and (indices == indices[0]).all():
        return Shared([column.dictionary[int(indices[0])].as_py()], np.zeros(len(indices), np.int64))
    used, of = np.unique(indices, return_inverse=True)
    return Shared(column.dictionary.take(pa.array(used)).to_pylist(), of.astype(np.int64, copy=False))


def _filled(column: pa.Array, value: Any) -> pa.Array:
    """Of a column that lacks nothing itself: each call of Arrow gives the GIL away, and waits for it afterwards."""
    return column.fill_null(value) if column.null_count else column


def _as_kept(name: str, column: pa.Array) -> pa.Array:
    if name in FEW_DIFFER:
        return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return column.cast(pa.large_string()) if _KINDS[name] == "str" else column


def _arrow(kind: str) -> Any:
    return {"str": pa.string(), "int": pa.int64(), "bool": pa.bool_()}[kind]
