"""Steps of a user's own pipeline: whether what they make of a row of the dataset sees what came after it.

A step is tried where it takes nothing but the dataset and has no effect. Its tables with one line for each row of the
dataset are compared, column by column.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.formats.offline_tables import POSITION
from shared_features.formats.training_run import DATASET_FOLDER
from training.datasets.training_dataset import TrainingDataset
from training.errors import LeakError
from training.pipelines.pipeline_step import PipelineStep
from training.proofs.leaks.leak import (
    LATER_ROWS,
    LATER_VALUES,
    OWN_ROW,
    UNKNOWN_LABELS,
    Leak,
    LeakReport,
    Values,
    changed_features,
    first_of_each,
)
from training.proofs.leaks.trials import choose_cuts, cut_rows, outside_leaks

_ROWS = 2_000
_CUTS = 4


def step_leaks(
    step: PipelineStep, dataset: TrainingDataset, delay_us: int, given: Mapping[str, Any] | None = None, seed: int = 0
) -> LeakReport:
    """Of every column that the step makes of the rows. delay_us: of the labels. given: parameters of the step."""
    if reason := _not_tried(step):
        return LeakReport(unchecked=(f"step {step.name} was not tried: {reason}",))
    rows = np.sort(np.argsort(dataset.event_time_us, kind="stable")[-_ROWS:])
    dataset = _some(dataset, rows[np.argsort(dataset.event_time_us[rows], kind="stable")])
    with tempfile.TemporaryDirectory(prefix="leaks-") as folder:
        return _tried(step, step.arguments(given or {}), dataset, delay_us, seed, Path(folder))


def _tried(
    step: PipelineStep, arguments: Mapping[str, Any], dataset: TrainingDataset, delay_us: int, seed: int, folder: Path
) -> LeakReport:
    as_of_us = dataset.event_time_us

    def compute(theirs: TrainingDataset) -> Values:
        return _made(step, arguments, theirs, Path(tempfile.mkdtemp(dir=folder)))

    files = tuple(each for each in arguments.values() if isinstance(each, Path))
    whole, leaks = outside_leaks(lambda: compute(dataset), as_of_us, (*files, folder))
    for kept, later in cut_rows(as_of_us, choose_cuts(as_of_us, _CUTS, seed)):
        known = {name: values[kept] for name, values in whole.items()}
        for cause, theirs in _trials(dataset, kept, later, delay_us):
            found = {name: values[: len(kept)] for name, values in compute(theirs).items()}
            leaks += changed_features(known, found, as_of_us[kept], cause)
        leaks += _twin_leaks(compute(_with_twin(dataset, int(kept[-1]))), whole, int(kept[-1]), as_of_us)
    said = () if whole else (f"step {step.name} makes no table with a line for each row of the dataset",)
    return LeakReport(first_of_each(leaks), {f"columns of step {step.name}": len(whole)}, unchecked=said)


def _not_tried(step: PipelineStep) -> str:
    if step.effect:
        return "it has an effect"
    if other := [each for each in step.inputs if not each.startswith(f"{DATASET_FOLDER}/")]:
        return f"it takes {', '.join(other)}, not only the dataset"
    return "" if step.inputs else "it takes nothing"


def _trials(
    dataset: TrainingDataset, kept: NDArray[np.int64], later: NDArray[np.bool_], delay_us: int
) -> Iterator[tuple[str, TrainingDataset]]:
    cut_us = int(dataset.event_time_us[kept[-1]])
    yield LATER_ROWS, _some(dataset, kept)
    matrix = np.array(dataset.matrix)
    matrix[later] = matrix[later] * 3 + 17
    yield LATER_VALUES, replace(dataset, matrix=matrix)
    unknown = dataset.event_time_us + delay_us >= cut_us
    label = np.where(unknown, _another(dataset), dataset.label)
    yield UNKNOWN_LABELS, replace(dataset, label=label)


def _another(dataset: TrainingDataset) -> NDArray[np.float64]:
    """Other labels, each of the task."""
    classes = len(dataset.manifest.classes)
    if dataset.manifest.task == "multiclass" and classes:
        return (dataset.label + 1) % classes
    return 1 - dataset.label


def _with_twin(dataset: TrainingDataset, row: int) -> TrainingDataset:
    """With a second row before this one: of the same entity and instant, with other values and another label."""
    rows = np.concatenate([np.arange(row), [row], np.arange(row, len(dataset))])
    found = _some(dataset, rows)
    matrix, label, offset = np.array(found.matrix), found.label.copy(), found.offset.copy()
    matrix[row], label[row], offset[row] = matrix[row] * 3 + 17, _another(dataset)[row], offset.max() + 1
    return replace(found, matrix=matrix, label=label, offset=offset)


def _twin_leaks(found: Values, whole: Values, row: int, as_of_us: NDArray[np.int64]) -> list[Leak]:
    ours = {name: values[row : row + 1] for name, values in whole.items()}
    theirs = {name: values[row + 1 : row + 2] for name, values in found.items()}
    return changed_features(ours, theirs, as_of_us[row : row + 1], OWN_ROW)


def _some(dataset: TrainingDataset, rows: NDArray[np.int64]) -> TrainingDataset:
    return replace(
        dataset,
        matrix=np.asarray(dataset.matrix[rows]),
        label=dataset.label[rows],
        window=dataset.window[rows],
        partition=dataset.partition[rows],
        offset=dataset.offset[rows],
        event_time_us=dataset.event_time_us[rows],
        entity=dataset.entity[rows],
    )


def _made(step: PipelineStep, arguments: Mapping[str, Any], dataset: TrainingDataset, folder: Path) -> Values:
    """What the step's tables say of each row, in the order of the rows."""
    inputs, output = folder / "inputs", folder / "output"
    (inputs / DATASET_FOLDER).mkdir(parents=True)
    output.mkdir()
    dataset.save(inputs / DATASET_FOLDER)
    try:
        step.function(inputs, output, **arguments)
    except Exception as error:
        raise LeakError(
            f"Step {step.name} cannot be tried: it raised {type(error).__name__}: {error}. Let it work for any rows of "
            "the dataset, also for a few."
        ) from error
    return {
        f"{step.name}/{file.name}: {name}": values
        for file in sorted(output.rglob("*"))
        for name, values in _columns(file, dataset)
    }


def _columns(file: Path, dataset: TrainingDataset) -> Iterator[tuple[str, NDArray[Any]]]:
    given = {*POSITION, "event_time_us", "event_time", "label", "window", "entity", *dataset.features}
    if file.suffix == ".parquet":
        table = pl.read_parquet(file)
        if len(table) == len(dataset):
            table = _in_order(table, dataset)
            yield from ((name, table[name].to_numpy()) for name in table.columns if name not in given)
    elif file.suffix == ".npy":
        values = np.load(file)
        if values.ndim and len(values) == len(dataset):
            wide = values.reshape(len(values), -1)
            yield from ((str(at), wide[:, at]) for at in range(wide.shape[1]))


def _in_order(table: pl.DataFrame, dataset: TrainingDataset) -> pl.DataFrame:
    if not {*POSITION} <= {*table.columns}:
        return table
    rows = pl.DataFrame({POSITION[0]: dataset.partition, POSITION[1]: dataset.offset})
    return rows.join(table, on=POSITION, how="left", maintain_order="left")
