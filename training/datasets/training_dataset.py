"""A training dataset: spine, matrix and labels, with the manifest from which it can be built again bit for bit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.formats.dataset_manifest import (
    DATASET_FILE,
    DatasetManifest,
    decode_dataset_manifest,
    encode_dataset_manifest,
)
from shared_features.formats.offline_tables import OFFSET, PARTITION
from shared_features.formats.training_run import (
    ENTITY,
    EVENT_TIME,
    LABEL,
    MATRIX_FILE,
    ROW_COLUMNS,
    ROWS_FILE,
    WINDOW,
)
from training.datasets.time_split import GAP, TEST, TRAIN

if TYPE_CHECKING:
    import pandas as pd

_ROWS_AT_ONCE = 8_192
_NAMES = {TRAIN: "train", GAP: "gap", TEST: "test"}


@dataclass(frozen=True)
class TrainingDataset:
    """`n` labelled rows in order of position.

    matrix: float32[n, features]; missing is NaN, with one bit pattern. label: float64[n]. window: int8[n], of the time
    split. entity: int64[n], the key of the entity that is followed, or its rank among the keys where they are texts.
    manifest: what the dataset was built from.
    """

    features: tuple[str, ...]
    matrix: NDArray[np.float32]
    label: NDArray[np.float64]
    window: NDArray[np.int8]
    partition: NDArray[np.int32]
    offset: NDArray[np.int64]
    event_time_us: NDArray[np.int64]
    entity: NDArray[np.int64]
    manifest: DatasetManifest

    def __len__(self) -> int:
        return len(self.label)

    def rows(self, window: int) -> NDArray[np.int64]:
        """int64: the indices of a window's rows."""
        return np.flatnonzero(self.window == window)

    def without_value(self) -> list[str]:
        """The features that have no value in any row of the train window."""
        missing, _ = self.missing_and_infinite(TRAIN)
        without = missing == len(self.rows(TRAIN))
        return [name for name, has_none in zip(self.features, without.tolist(), strict=False) if has_none]

    def missing_shares(self) -> dict[str, float]:
        """Feature -> the part of the train window's rows in which it has no value."""
        missing, _ = self.missing_and_infinite(TRAIN)
        return dict(zip(self.features, (missing / len(self.rows(TRAIN))).tolist(), strict=False))

    def missing_and_infinite(self, window: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """int64[features] each: in how many rows of a window a feature has no value, and an infinite one.

        Some thousand rows are looked at together: the rows of a window are a copy of the matrix, or most of it.
        """
        missing, infinite = (np.zeros(self.matrix.shape[1], np.int64) for _ in range(2))
        rows = self.rows(window)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = self.matrix[rows[start : start + _ROWS_AT_ONCE]]
            missing += np.isnan(some).sum(axis=0)
            infinite += np.isinf(some).sum(axis=0)
        return missing, infinite

    @property
    def digest(self) -> str:
        return self.manifest.digest

    def to_pandas(self) -> pd.DataFrame:
        """One row per event: position, event time (UTC), window, label, then the features under their names."""
        import pandas as pd

        frame = pd.DataFrame(self.matrix, columns=list(self.features), copy=True)
        frame.insert(0, PARTITION, self.partition)
        frame.insert(1, OFFSET, self.offset)
        frame.insert(2, "event_time", pd.to_datetime(self.event_time_us, unit="us", utc=True))
        frame.insert(3, WINDOW, pd.Categorical.from_codes(self.window, list(_NAMES.values())))
        frame.insert(4, LABEL, self.label)
        return frame

    def save(self, directory: Path) -> None:
        np.save(directory / MATRIX_FILE, self.matrix)
        positions = {PARTITION: self.partition, OFFSET: self.offset, EVENT_TIME: self.event_time_us}
        rows = pl.DataFrame({**positions, ENTITY: self.entity, LABEL: self.label, WINDOW: self.window})
        rows.select(ROW_COLUMNS).write_parquet(directory / ROWS_FILE, compression="lz4")
        (directory / DATASET_FILE).write_bytes(encode_dataset_manifest(self.manifest))


def load_dataset(directory: Path) -> TrainingDataset:
    """The dataset that `save` wrote; the matrix is mapped from the disk, not read at once."""
    file = directory / DATASET_FILE
    manifest = decode_dataset_manifest(file.read_bytes(), str(file))
    rows = pl.read_parquet(directory / ROWS_FILE)
    return TrainingDataset(
        features=manifest.features,
        matrix=np.load(directory / MATRIX_FILE, mmap_mode="r"),
        label=rows[LABEL].to_numpy(),
        window=rows[WINDOW].to_numpy(),
        partition=rows[PARTITION].to_numpy(),
        offset=rows[OFFSET].to_numpy(),
        event_time_us=rows[EVENT_TIME].to_numpy(),
        entity=rows[ENTITY].to_numpy(),
        manifest=manifest,
    )


def canonical(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The matrix in C order with one NaN: 0/0 and inf - inf leave different bits on different machines."""
    whole = np.ascontiguousarray(matrix, np.float32)
    whole[np.isnan(whole)] = np.nan
    return whole


def content_digest(features: tuple[str, ...], *columns: NDArray[Any]) -> str:
    """sha256 over the names and the columns, little-endian, in the order of the rows."""
    digest = hashlib.sha256("\n".join(features).encode())
    for column in columns:
        little = np.ascontiguousarray(column, column.dtype.newbyteorder("<"))
        digest.update(f"{little.dtype.str}{little.shape}".encode())
        digest.update(little.data.cast("B"))
    return digest.hexdigest()
