"""`python -m training dataset`: build, export, rebuild and pin. What a verb needs is imported when it runs."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from training.dataset_options import PREDICTION_LOG
from training.errors import TrainingError
from training.output_files import TABLE, check_output, check_table_or_directory, has_kind
from training.settings import TrainingSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from shared_features.definitions import FeatureView
    from shared_features.formats.dataset_rows import Division
    from training.datasets.exports.dataset_table import DatasetTable
    from training.datasets.offline_store import OfflineStore, PinnedTable
    from training.runs.plan.run_parameters import RunParameters
    from training.steps.run_journal import StepEntry

Asked = Callable[[], "RunParameters"]
_OF_WINDOWS = (
    "train_days", "delay_days", "test_days", "train_from", "train_to", "test_from", "test_to", "entity",
)  # fmt: skip
"""The options that rows which are chosen otherwise do not take."""


def dataset(settings: TrainingSettings, options: argparse.Namespace, asked: Asked) -> int:
    """Do what the verb says. asked: reads the view and the parameters of the dataset. Returns the exit code."""
    if options.verb != "build":
        if options.directory is None:
            raise TrainingError(f"`dataset {options.verb}` needs a directory. None is given. Name an exported dataset.")
        from training.exported_dataset_commands import VERBS

        return VERBS[options.verb](settings, options.directory)
    if options.pin and (options.output is None or _is_table(options.output)):
        raise TrainingError("--pin needs a directory to export the dataset to. None is given. Add --output DIR.")
    if options.output is not None:
        _check_output(options)
    if options.spine is None:
        return _of_view(settings, options, asked())
    return (_of_log if str(options.spine) == PREDICTION_LOG else _of_spine)(settings, options, asked())


def print_step(name: str, entry: StepEntry) -> None:
    """What became of a step of a run."""
    skipped = f"skipped ({entry.reason}): " if entry.done == "skipped" else ""
    print(f"{name:9} {entry.seconds:7.2f} s  {skipped}{entry.line}", flush=True)


def _of_view(settings: TrainingSettings, options: argparse.Namespace, parameters: RunParameters) -> int:
    from training.datasets.exports.exported import export_events
    from training.datasets.offline_store import OfflineStore
    from training.datasets.pinned_view import pin_view
    from training.datasets.training_dataset import load_dataset
    from training.runs.training_run import run_training

    whole = (options.range_from, options.range_to, options.split) == (None, None, "")
    if not whole or parameters.view.labels is None:
        return _of_range(settings, options, parameters)
    path = run_training(settings, parameters, print_step, time.time_ns() // 1000, last="dataset")
    if options.output is not None:
        built = load_dataset(path / "dataset")
        told = built.manifest
        pinned = pin_view(OfflineStore(settings.lake), parameters.view, told.allowed_lateness_us, told.cut_us)
        _export(settings, options, parameters.view, export_events(pinned, built))
    print(f"the dataset is in {path / 'dataset'}")
    return 0


def _of_range(settings: TrainingSettings, options: argparse.Namespace, parameters: RunParameters) -> int:
    from shared_features.kernel.event_time import to_us
    from training.datasets.exports.event_range import export_range
    from training.datasets.offline_store import OfflineStore
    from training.datasets.pinned_view import pin_view

    _check_rows_alone(options, "--from, --to")
    division = _division(options, parameters.view)
    pinned = pin_view(OfflineStore(settings.lake), parameters.view, to_us(settings.allowed_lateness))
    table = export_range(pinned, options.range_from, options.range_to, parameters.dataset.cutoff_us)
    table = _divided(table, division, parameters.view, table.instants_us)
    _export(settings, options, parameters.view, table)
    return 0


def _of_spine(settings: TrainingSettings, options: argparse.Namespace, parameters: RunParameters) -> int:
    from training.datasets.exports.exported import SpineOptions, check_spine_options, export_spine
    from training.datasets.given_spine import check_spine, read_spine_file
    from training.datasets.history.pinned_history import pin_history
    from training.datasets.offline_store import OfflineStore

    _check_rows_alone(options, "--spine")
    view, store = parameters.view, OfflineStore(settings.lake)
    division = _division(options, view)
    spine = check_spine(view, read_spine_file(options.spine))
    check_spine_options(spine, division, options.label, options.with_labels)
    labels, cutoff_us = _labels(store, options, parameters)
    lag_us, at_once = round(options.lag * 1e6), settings.spine_events_at_once
    meant = SpineOptions(options.truth, lag_us, options.label, cutoff_us, at_once)
    table = export_spine(pin_history(store, view), spine, meant, labels)
    _export(settings, options, view, _divided(table, division, view, spine.as_of_us))
    return 0


def _of_log(settings: TrainingSettings, options: argparse.Namespace, parameters: RunParameters) -> int:
    from training.datasets.exports.exported import SpineOptions, export_spine
    from training.datasets.offline_store import OfflineStore
    from training.inference.log_and_train import read_logged
    from training.registry.versions import Registry

    _check_rows_alone(options, f"--spine {PREDICTION_LOG}")
    if options.truth != "as-served" or options.lag:
        raise TrainingError("The log has what the model saw. It takes no --truth and no --lag. Leave them out.")
    view, store = parameters.view, OfflineStore(settings.lake)
    division = _division(options, view)
    logged = read_logged(store, Registry(settings.registry), view)
    labels, cutoff_us = _labels(store, options, parameters)
    meant = SpineOptions(label=options.label, cutoff_us=cutoff_us)
    table = export_spine(logged.history, logged.spine, meant, labels, logged=logged.beside)
    _export(settings, options, view, _divided(table, division, view, logged.spine.as_of_us))
    print("".join(f"{line}\n" for line in logged.lines), end="")
    return 0


def _labels(
    store: OfflineStore, options: argparse.Namespace, parameters: RunParameters
) -> tuple[tuple[PinnedTable, ...], int | None]:
    from training.datasets.exports.known_labels import pin_labels

    return pin_labels(store, parameters.view, parameters.dataset.cutoff_us) if options.with_labels else ((), None)


def _division(options: argparse.Namespace, view: FeatureView) -> Division | None:
    """How the rows are divided. It is read before they are."""
    from training.datasets.exports.division import read_division

    return read_division(options.split, view, options.seed, options.test_share) if options.split else None


def _divided(
    table: DatasetTable, division: Division | None, view: FeatureView, as_of_us: NDArray[np.int64]
) -> DatasetTable:
    from training.datasets.exports.division import divide

    return table if division is None else divide(table, view, division, as_of_us)


def _check_rows_alone(options: argparse.Namespace, what: str) -> None:
    """Rows that are chosen otherwise have no windows, and a file or a directory to go to."""
    if options.output is None:
        raise TrainingError(f"{what} needs a file or a directory to write to. Add --output DIR or FILE.parquet.")
    # What was typed, and not the parameters: among those are the windows of the view's model, which nobody typed.
    if said := [f"--{name.replace('_', '-')}" for name in _OF_WINDOWS if getattr(options, name) is not None]:
        raise TrainingError(
            f"{what} says which rows there are. It takes no {', '.join(said)}. Leave those options out."
        )


def _check_output(options: argparse.Namespace) -> None:
    if _is_table(options.output):
        check_output(options.output, TABLE, options.spine)
    else:
        from training.datasets.exports.dataset_table import check_free

        check_table_or_directory(options.output)
        check_free(options.output)


def _is_table(output: Path) -> bool:
    return has_kind(output, TABLE)


def _export(settings: TrainingSettings, options: argparse.Namespace, view: FeatureView, table: DatasetTable) -> None:
    from training.datasets.exports.pins import pin_dataset

    if _is_table(options.output):
        options.output.parent.mkdir(parents=True, exist_ok=True)
        table.data.write_parquet(options.output)
    else:
        table.write(options.output)
    print(f"{table.title}: {options.output}")
    for line in (*table.sides, *table.labels):
        print(line)
    if options.pin:
        print(f"pinned as {pin_dataset(settings.lake, view, table.manifest)}")
