"""The training runs on disk, and the results of their steps (laid out in `formats.training_run`).

A version in the registry holds a model and descriptions, but no rows. A result `dataset` holds rows with entity keys.
If it holds an erased event, it is removed with whatever was made from it, to any depth, and with the runs that used
it: they can be repeated without the event. What cannot be read (after a kill or a full disk) is removed too, because
its content is unknown.
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
from shared_features.formats.training_run import (
    BEGUN_FILE,
    DATASET_FOLDERS,
    RESULT_FILE,
    RESULTS_FOLDER,
    ROWS_FILE,
    StepResult,
    decode_step_result,
)
from streaming.errors import RefusedError


def runs_with(runs: Path, catalogue: Catalogue, positions: Mapping[str, pa.Table]) -> dict[Path, bool]:
    """The runs and results that hold, or may hold, one of the positions, each with whether it could be read.

    positions: by source.
    """
    found = _datasets_with(runs, catalogue, positions)
    results = _results(runs)
    found |= {folder: False for folder, result in results.items() if result is None}
    gone = {digest for folder in found for digest in _digests(results.get(folder))}
    while made := [each for each, result in results.items() if each not in found and _is_made_from(result, gone)]:
        found |= dict.fromkeys(made, True)
        gone |= {digest for folder in made for digest in _digests(results[folder])}
    names = {folder.name for folder in found}
    links = sorted(each for each in runs.glob("*/*/*") if each.is_symlink())
    return found | {each.parent: True for each in links if each.readlink().parent.name in names}


def count_results(found: Iterable[Path]) -> int:
    """How many of these are results of steps; the others are runs."""
    return sum(each.parent.name == RESULTS_FOLDER for each in found)


def _results(runs: Path) -> dict[Path, StepResult | None]:
    """Each result, also one that is being written; None: it cannot be read."""
    found: dict[Path, StepResult | None] = {}
    for folder in (runs / RESULTS_FOLDER).glob("*/"):
        # Twice the finished one: it may be finished between the looks.
        for name in (RESULT_FILE, BEGUN_FILE, RESULT_FILE):
            try:
                found[folder] = decode_step_result((folder / name).read_bytes(), str(folder / name))
                break
            except (OSError, FormatVersionError):
                continue
        else:
            try:
                if any(folder.iterdir()):
                    found[folder] = None
            except OSError:
                continue  # given its name between the looks; the next look finds it
    return found


def _digests(result: StepResult | None) -> list[str]:
    return [digest for digest, _ in result.files.values()] if result else []


def _is_made_from(result: StepResult | None, digests: set[str]) -> bool:
    return result is not None and not digests.isdisjoint(result.made_from.values())


def _datasets_with(runs: Path, catalogue: Catalogue, positions: Mapping[str, pa.Table]) -> dict[Path, bool]:
    found = {}
    for dataset in sorted(each for each in runs.glob(DATASET_FOLDERS) if not each.is_symlink()):
        run = dataset.parent
        try:
            if {each.name for each in dataset.iterdir()} <= {DATASET_FILE}:
                # No rows. The run has just begun, and compares the counts of erasures after it has saved its rows, or
                # it was imported without its data.
                continue
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
