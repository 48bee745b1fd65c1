"""The step `fit`: from the train window to one fitted model per candidate, and notes of how each came about."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.formats.json_document import encode_document
from shared_features.formats.training_run import DATASET_FOLDER
from training.datasets.time_split import TRAIN
from training.datasets.training_dataset import TrainingDataset, load_dataset
from training.models.built_candidate import build_steps, few_rounds, try_export
from training.models.candidates import LABELS, built_in_steps
from training.models.columns import Build, Columns
from training.models.encoders import order_doubts
from training.progress import Tell, untold
from training.proofs.leaks.candidate_leaks import candidate_leaks
from training.proofs.leaks.leak import require_no_leak
from training.runs.actions.candidate_fit import CandidateFit, TrainRows
from training.runs.actions.searching import search_values, write_search
from training.runs.plan.run_parameters import RunParameters
from training.runs.records.run_folder import NOTES_FILE, model_file
from training.steps.step import Task


def fit_step(task: Task) -> str:
    return fit_models(task.inputs / DATASET_FOLDER, task.context.parameters, task.output, task.tell)


def fit_models(dataset_directory: Path, parameters: RunParameters, output: Path, tell: Tell = untold) -> str:
    """Fit every candidate on the train window. What cannot be exported, or leaks, is refused before any is fitted."""
    dataset = load_dataset(dataset_directory)
    rows, task = dataset.rows(TRAIN), dataset.manifest.task
    matrix, label = np.asarray(dataset.matrix[rows]), dataset.label[rows]
    built = {name: build for name, build in parameters.builds.items() if name in parameters.models}
    columns = columns_of(dataset, parameters)
    try_exports(parameters.models, built, columns, matrix, label, task, parameters.seed)
    require_no_leak(candidate_leaks(built, dataset, parameters.seed, parameters.encoders))
    manifest = dataset.manifest
    train = TrainRows(
        columns, matrix, label, dataset.event_time_us[rows], task, manifest.classes, manifest.split.gap_us
    )
    said, notes = [], dict[str, list[str]]()
    for number, name in enumerate(parameters.models, 1):
        candidate = CandidateFit(
            name, built.get(name), train, parameters.seed, parameters.early_stopping, parameters.fitting
        )
        notes[name] = []
        if name in parameters.search:
            found = search_values(candidate, parameters.search[name], parameters.searched_by, tell)
            write_search(output, name, found)
            candidate, notes[name] = replace(candidate, values=found.best.values), [found.describe()]
        tell(f"fitting {name} on {counted(len(rows), 'row')}", number, len(parameters.models))
        model, more = candidate.fit()
        notes[name] += more
        model_file(output, name).write_bytes(pickle.dumps(model))
        said.append(" ".join([name, *(f"({note})" for note in notes[name])]))
    (output / NOTES_FILE).write_bytes(encode_document(notes))
    doubts = order_doubts(parameters.encoders, columns.values)
    return ". ".join([f"{counted(len(rows), 'row')}: {', '.join(said)}", *(each.rstrip(".") for each in doubts)])


def try_exports(
    names: Iterable[str],
    built: Mapping[str, Build],
    columns: Columns,
    matrix: NDArray[np.float32],
    label: NDArray[np.float64],
    task: str,
    seed: int,
) -> None:
    """Of every candidate, built in or not. Raises TrainingError, which names the candidate, operator and step."""
    for name in names:
        if name in built:
            steps = build_steps(name, built[name], columns, seed, task)
        else:
            steps = few_rounds(built_in_steps(name, len(label), seed, task, columns))
        try_export(name, steps, matrix, label.astype(LABELS[task]), task)


def columns_of(dataset: TrainingDataset, parameters: RunParameters) -> Columns:
    """The columns of its matrix."""
    return Columns.of(dataset.features, dataset.manifest.categories, parameters.encoders)
