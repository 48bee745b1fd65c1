"""The steps `dataset` and `validate`: from the offline store to a dataset that a model can be fitted on."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from shared_features.counted import counted
from shared_features.definitions.expectations.expectation import Expectation
from shared_features.formats.dataset_manifest import RowCounts, WindowCounts
from shared_features.formats.json_document import encode_document
from shared_features.formats.training_run import DATASET_FOLDER, SAMPLED_INPUTS_FILE
from shared_features.kernel.event_time import to_text
from training.datasets.categories import tell_categories
from training.datasets.dataset_builder import build_dataset
from training.datasets.erasures import erased_since
from training.datasets.expectations.outcome import check_expectations
from training.datasets.expectations.verdict import failing_rows, judge, told
from training.datasets.label_check import check_labels
from training.datasets.label_classes import tell_counts
from training.datasets.outcomes.told_labels import tell_labels
from training.datasets.pinned_view import PinnedView
from training.datasets.time_split import TRAIN
from training.datasets.training_dataset import TrainingDataset, load_dataset
from training.errors import DatasetError
from training.progress import Tell, untold
from training.runs.plan.data_version import open_data
from training.runs.plan.run_context import RunContext
from training.runs.plan.run_parameters import RunParameters
from training.runs.records.run_folder import FAILING_ROWS_FILE
from training.steps.step import Task


def dataset_step(task: Task) -> str:
    context: RunContext = task.context
    pinned = open_data(context.settings.lake, context.parameters.view, context.data)
    return make_dataset(pinned, context.parameters, task.output, task.tell)


def validate_step(task: Task) -> str:
    parameters: RunParameters = task.context.parameters
    return validate_dataset(task.inputs / DATASET_FOLDER, task.output, parameters.expectations)


def make_dataset(pinned: PinnedView, parameters: RunParameters, output: Path, tell: Tell = untold) -> str:
    """Build the dataset of pinned tables and save it."""
    dataset, inputs = build_dataset(pinned, parameters.dataset, tell)
    dataset.save(output)
    (output / SAMPLED_INPUTS_FILE).write_bytes(pickle.dumps(inputs))
    if tables := erased_since(pinned):
        # What is saved from now on, the erasure no longer sees.
        shutil.rmtree(output)
        raise DatasetError(f"entities were erased from {', '.join(tables)} while it was built; start the run again")
    rows = dataset.manifest.rows
    windows = {"train": rows.train, "gap": rows.gap, "test": rows.test}
    parts = ", ".join(f"{name} {each.labelled:,}{_by_class(dataset, each)}" for name, each in windows.items())
    unknown = sum(each.unknown_label_left_out for each in windows.values())
    split = dataset.manifest.split
    said = "".join(f"; {each}" for each in tell_labels(dataset.manifest))
    return (
        f"{counted(len(dataset), 'row')} x {counted(len(dataset.features), 'feature')}, of events from "
        f"{to_text(split.start_us)} to {to_text(split.end_us)} (--train-days and --train-from choose others): {parts}; "
        f"of these, left out {unknown:,} without known label, {rows.copies_left_out:,} copies{said}{_outside(rows)}"
        f"{tell_categories(dataset.manifest.categories)}; digest {dataset.digest[:16]}"
    )


def _outside(rows: RowCounts) -> str:
    """The labelled rows that no window takes; empty where there are none."""
    if not rows.labelled_before + rows.labelled_after:
        return ""
    return (
        f"; {rows.labelled_before:,} labelled rows before the train window and {rows.labelled_after:,} after the test "
        "window are not in it (windows of a day or more are whole days)"
    )


def _by_class(dataset: TrainingDataset, counts: WindowCounts) -> str:
    match dataset.manifest.task:
        case "binary":
            return f" ({counts.positive:,} positive)"
        case "multiclass":
            return f" ({tell_counts(dataset.manifest.classes, counts.by_class)})"
        case _:
            return ""


def validate_dataset(dataset_directory: Path, output: Path, expectations: Sequence[Expectation] = ()) -> str:
    """Refuse a dataset nothing can be learned from or tested on, or that is not as expected; note what is missing."""
    dataset = load_dataset(dataset_directory)
    said = check_labels(dataset)
    missing_rows, infinite_rows = dataset.missing_and_infinite(TRAIN)
    shares = missing_rows / len(dataset.rows(TRAIN))
    missing = dict(zip(dataset.features, shares.tolist(), strict=False))
    infinite = dict(zip(dataset.features, infinite_rows.tolist(), strict=False))
    outcomes = check_expectations(expectations, dataset)
    report = {
        "missing_share": missing,
        "infinite": {name: count for name, count in infinite.items() if count},
        "expectations": [told(each) for each in outcomes],
    }
    (output / "validation.json").write_bytes(encode_document(report))
    (output / FAILING_ROWS_FILE).write_bytes(encode_document(failing_rows(outcomes)))
    expected = judge(outcomes)
    empty = dataset.without_value()
    note = f"; without any value in the train window: {', '.join(empty)}" if empty else ""
    return f"{said}; {np.mean(list(missing.values())):.1%} of values missing{note}{expected}"
