"""The training runs on disk: `<runs>/<view>/<run>/dataset/rows.parquet`, and a matrix of the same rows.

A version in the registry holds a model and descriptions, but no rows. The intermediate results of its run hold rows
with entity keys. A run that holds an erased event is removed completely: it can be repeated without the event. A run
whose rows cannot be read (after a kill or a full disk) is removed too, because its content is unknown.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa

from shared_features.definitions import Catalogue
from shared_features.errors import FormatVersionError
from shared_features.formats.dataset_manifest import DATASET_FILE, decode_dataset_manifest
from shared_features.formats.offline_tables import POSITION, events_table
from shared_features.formats.training_run import DATASET_FOLDERS, ROWS_FILE
from streaming.errors import RefusedError


def runs_with(runs: Path, catalogue: Catalogue, positions: Mapping[str, pa.Table]) -> dict[Path, bool]:
    """The runs that hold, or may hold, one of the positions, each with whether its rows could be read.

    positions: by source.
    """
    found = {}
    for dataset in sorted(runs.glob(DATASET_FOLDERS)):
        run = dataset.parent
        try:
            if not any(dataset.iterdir()):
                continue  # the run has just begun; it compares the counts of erasures after it has saved its rows
            rows = pl.read_parquet(dataset / ROWS_FILE, columns=list(POSITION))
        except (pl.exceptions.PolarsError, OSError):
            found[run] = False
            continue
        if any(_are_among(rows, positions[name]) for name in _sources(dataset, catalogue, positions)):
            found[run] = True
    return found


def remove_runs(runs: Iterable[Path]) -> int:
    """Remove the runs. Returns their number. Raises RefusedError if a run is being written."""
    gone = 0
    for run in runs:
        try:
            shutil.rmtree(run)
        except OSError as error:
            if run.exists():
                raise RefusedError(f"Training run {run} cannot be removed ({error}). Run this again") from error
        gone += 1
    return gone


def _sources(dataset: Path, catalogue: Catalogue, positions: Mapping[str, pa.Table]) -> list[str]:
    """The sources of a dataset's rows, by its own description: a view of the same name may read another source now."""
    try:
        file = dataset / DATASET_FILE
        manifest = decode_dataset_manifest(file.read_bytes(), str(file))
    except (OSError, FormatVersionError):
        return list(positions)
    label, tables = manifest.view.label, manifest.tables
    views = {view.label: view.source for view in catalogue.views}
    if label in views and events_table(views[label]) in tables:
        return [views[label].name] if views[label].name in positions else []
    return [name for name in positions if f"events_{name}" in tables]


def _are_among(rows: pl.DataFrame, positions: pa.Table) -> bool:
    gone = pl.from_arrow(positions)
    return isinstance(gone, pl.DataFrame) and not rows.join(gone, on=POSITION, how="semi").is_empty()
