"""A dataset as one table with its manifest, in memory and in a directory of its own."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from shared_features.counted import counted
from shared_features.formats.dataset_manifest import (
    DATASET_FILE,
    DatasetManifest,
    decode_dataset_manifest,
    encode_dataset_manifest,
)
from shared_features.formats.dataset_statistics import (
    STATISTICS_FILE,
    DatasetStatistics,
    encode_dataset_statistics,
)
from shared_features.formats.training_run import LABEL, WINDOW
from shared_features.kernel.event_time import to_text
from training.datasets.exports.known_labels import RowLabels, train_label
from training.datasets.exports.table_digest import table_digest
from training.datasets.exports.told_sides import tell_sides
from training.datasets.given_spine import AS_OF
from training.datasets.outcomes.told_labels import tell_labels
from training.datasets.statistics.page import PAGE_FILE, statistics_fragment, statistics_page
from training.datasets.statistics.table_statistics import table_statistics
from training.errors import DatasetError

DATA_FILE = "data.parquet"
TAKEN = "row_"
"""Before the name of a column that tells about a row, where a feature has its name."""
SPINE_FILE = "spine.parquet"


@dataclass(frozen=True, repr=False)
class DatasetTable:
    """data: one row per event, or per row of the spine. spine: the rows as a user brought them, where one did.

    manifest: what `data` was built from; its `data_digest` is of `data`. known_labels: where the label is the view's,
    what a division asks for that of rows to train on.
    """

    data: pl.DataFrame
    manifest: DatasetManifest
    spine: pl.DataFrame | None = None
    known_labels: RowLabels | None = field(default=None, compare=False)

    @property
    def title(self) -> str:
        """In a few words."""
        told = self.manifest
        rows, features = counted(len(self.data), "row"), counted(len(told.features), "feature")
        truth = "" if told.spine is None else f", {told.spine.truth}"
        return f"{rows} with {features} of {told.view.label}{truth}"

    @property
    def sides(self) -> list[str]:
        """How many rows are for training and for the test, and of which class, a line for each division."""
        division = self.manifest.division
        is_stratified = division is not None and division.kind == "stratified"
        by = division.of if division and is_stratified else ""
        return tell_sides(self.data, {name: by or self.label_of(name) for name in self.windows})

    @property
    def labels(self) -> list[str]:
        """Where the labels are from, in lines to read; empty where there is nothing to say."""
        return tell_labels(self.manifest)

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        told = self.manifest
        cut = f"complete up to {to_text(told.cut_us)}, digest {told.data_digest[:16]}"
        lines = [*self.sides, *self.labels, cut]
        return "\n".join([f"Dataset of {self.title}", *(f"  {line}" for line in lines), str(self.data)])

    def _repr_html_(self) -> str:
        return "".join(f"<p>{escape(line)}</p>" for line in self.labels) + statistics_fragment(self.statistics())

    @property
    def label(self) -> str:
        """The name of the column with the label; "" where there is none."""
        if self.manifest.spine is not None:
            return self.manifest.spine.label
        name = f"{TAKEN}{LABEL}" if LABEL in self.manifest.features else LABEL
        return name if name in self.data.columns else ""

    def label_of(self, window: str) -> str:
        """The name of the column with the label to take with a column of `windows`; "" where there is none."""
        own = train_label(window)
        division = self.manifest.division
        return own if division is not None and division.train_labels and own in self.data.columns else self.label

    @property
    def windows(self) -> list[str]:
        """The names of the columns that say which row is for training and which for the test; several are folds."""
        told = self.manifest
        if told.division is not None:
            return [f"fold_{fold}" for fold in range(1, told.division.folds + 1)] or [WINDOW]
        if told.spine is not None or told.is_range:
            return []
        return [f"{TAKEN}{WINDOW}" if WINDOW in told.features else WINDOW]

    @property
    def instants_us(self) -> NDArray[np.int64]:
        """int64[n]: `as_of` of each row, of a table of events."""
        name = f"{TAKEN}{AS_OF}" if AS_OF in self.manifest.features else AS_OF
        return self.data[name].dt.timestamp("us").to_numpy()

    def statistics(self) -> DatasetStatistics:
        """Of each feature and of the label, window by window."""
        told = self.manifest
        last = self.windows[-1] if self.windows else ""  # the last fold trains on most
        return table_statistics(
            self.data,
            told.features,
            view=told.view.label,
            digest=told.data_digest,
            label=self.label_of(last),
            window=last,
            categories=told.categories,
        )

    def write(self, to: str | Path) -> None:
        """Write the directory, which appears whole or not at all. Raises DatasetError where it is there already."""
        directory = Path(to)
        _refuse_taken(directory)
        directory.parent.mkdir(parents=True, exist_ok=True)
        aside = directory.with_name(f".{directory.name}-{uuid.uuid4().hex}")
        aside.mkdir()
        try:
            self.data.write_parquet(aside / DATA_FILE)
            if self.spine is not None:
                self.spine.write_parquet(aside / SPINE_FILE)
            (aside / DATASET_FILE).write_bytes(encode_dataset_manifest(self.manifest))
            statistics = self.statistics()
            (aside / STATISTICS_FILE).write_bytes(encode_dataset_statistics(statistics))
            (aside / PAGE_FILE).write_text(statistics_page(statistics))
            os.rename(aside, directory)  # noqa: PTH104  # Path.rename says nothing of directories
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                _refuse_taken(directory)
            raise DatasetError(f"The dataset cannot be written to {directory}. {error}. Name another one.") from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def check_free(directory: Path) -> None:
    """Raises DatasetError where a dataset cannot be written to a directory, before it is built."""
    _refuse_taken(directory)


def read_manifest(directory: Path) -> DatasetManifest:
    """Raises DatasetError where the directory holds no dataset."""
    file = directory / DATASET_FILE
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DatasetError(
            f"{directory} holds no dataset. Its file {DATASET_FILE} cannot be read ({error.strerror}). Name a "
            "directory that `python -m training dataset --output DIR` wrote."
        ) from error
    return decode_dataset_manifest(content, str(file))


def read_directory(directory: Path) -> DatasetTable:
    """The dataset that `write` wrote. Raises DatasetError where a file is missing, damaged or another one.

    What was changed by hand would be told under the digest of what was exported.
    """
    manifest = read_manifest(directory)
    if not manifest.data_digest:
        raise DatasetError(
            f"{directory} is the dataset of a training run, and not an exported one. It holds no {DATA_FILE}. Name a "
            "directory that `python -m training dataset --output DIR` wrote."
        )
    brought = manifest.spine
    spine = None if brought is None else _table(directory / SPINE_FILE, brought.digest)
    return DatasetTable(_table(directory / DATA_FILE, manifest.data_digest), manifest, spine)


def _table(file: Path, digest: str) -> pl.DataFrame:
    try:
        found = pl.read_parquet(file)
    except (OSError, PolarsError) as error:
        raise DatasetError(f"{file} cannot be read. {error}. Restore the file, or export the dataset again.") from error
    if table_digest(found) != digest:
        raise DatasetError(
            f"{file} is not the table that was exported. Its {counted(len(found), 'row')} have another digest than "
            f"{DATASET_FILE} beside it says. Restore the file, or export the dataset again."
        )
    return found


def _refuse_taken(directory: Path) -> None:
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise DatasetError(
            f"{directory} is there already, and a dataset is never written over something. Name another directory, or "
            "remove this one."
        )
