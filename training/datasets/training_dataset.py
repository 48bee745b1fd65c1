"""A training dataset: spine, matrix and labels, with the description from which it can be built again bit for bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.formats.model_manifest import DATASET_FILE
from shared_features.formats.offline_tables import OFFSET, PARTITION
from training.datasets.labels import LABEL
from training.datasets.point_in_time import EVENT_TIME
from training.datasets.time_split import GAP, TEST, TRAIN
from training.durable_files import json_bytes

if TYPE_CHECKING:
    import pandas as pd

MATRIX_FILE = "matrix.npy"
ROWS_FILE = "rows.parquet"
WINDOW = "window"
_NAMES = {TRAIN: "train", GAP: "gap", TEST: "test"}


@dataclass(frozen=True)
class TrainingDataset:
    """`n` labelled rows in order of position.

    matrix: float32[n, features]; missing is NaN, with one bit pattern. label: float64[n]. window: int8[n], of the time
    split. entity: int64[n], the key of the entity that is followed, or its rank among the keys where they are texts.
    description: what dataset.json holds, `digest` among it.
    """

    features: tuple[str, ...]
    matrix: NDArray[np.float32]
    label: NDArray[np.float64]
    window: NDArray[np.int8]
    partition: NDArray[np.int32]
    offset: NDArray[np.int64]
    event_time_us: NDArray[np.int64]
    entity: NDArray[np.int64]
    description: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.label)

    def rows(self, window: int) -> NDArray[np.int64]:
        """int64: the indices of a window's rows."""
        return np.flatnonzero(self.window == window)

    @property
    def digest(self) -> str:
        return str(self.description["digest"])

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
        columns = {PARTITION: self.partition, OFFSET: self.offset, EVENT_TIME: self.event_time_us}
        rows = pl.DataFrame({**columns, "entity": self.entity, LABEL: self.label, WINDOW: self.window})
        rows.write_parquet(directory / ROWS_FILE, compression="lz4")
        (directory / DATASET_FILE).write_bytes(json_bytes(dict(self.description)))


def load_dataset(directory: Path) -> TrainingDataset:
    """The dataset that `save` wrote; the matrix is mapped from the disk, not read at once."""
    description = json.loads((directory / DATASET_FILE).read_bytes())
    rows = pl.read_parquet(directory / ROWS_FILE)
    return TrainingDataset(
        features=tuple(description["features"]),
        matrix=np.load(directory / MATRIX_FILE, mmap_mode="r"),
        label=rows[LABEL].to_numpy(),
        window=rows[WINDOW].to_numpy(),
        partition=rows[PARTITION].to_numpy(),
        offset=rows[OFFSET].to_numpy(),
        event_time_us=rows[EVENT_TIME].to_numpy(),
        entity=rows["entity"].to_numpy(),
        description=description,
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
