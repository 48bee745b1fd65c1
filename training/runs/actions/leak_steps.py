"""The step `leaks`: no feature of the dataset may know the future."""

from __future__ import annotations

from pathlib import Path

from shared_features.formats.json_document import encode_document
from shared_features.formats.training_run import DATASET_FOLDER
from training.datasets.offline_store import OfflineStore
from training.datasets.training_dataset import load_dataset
from training.proofs.leaks.leak import LeakReport, require_no_leak
from training.proofs.leaks.leak_check import check_dataset
from training.proofs.leaks.telling_features import telling_features
from training.runs.plan.data_version import open_data
from training.runs.plan.run_context import RunContext
from training.runs.records.run_folder import LEAKS_FILE
from training.steps.step import Task


def leaks_step(task: Task) -> str:
    context: RunContext = task.context
    settings, parameters, data = context.settings, context.parameters, context.data
    pinned = open_data(settings.lake, parameters.view, data)
    dataset = load_dataset(task.inputs / DATASET_FOLDER)
    store = OfflineStore(settings.lake)  # events of every group, also of those whose tables the run did not pin
    report, served = check_dataset(pinned, store, dataset, parameters.seed, task.tell)
    report = report.joined(LeakReport(too_good=telling_features(dataset, parameters.seed)))
    return record_leaks(report, served, task.output)


def record_leaks(report: LeakReport, served: int, output: Path) -> str:
    """Write what was found; raises LeakError, so that a leak ends the run before anything is fitted."""
    (output / LEAKS_FILE).write_bytes(encode_document({**report.plain, "served_values": served}))
    require_no_leak(report)
    good = [f"{name} alone {says}: is it known before the label?" for name, says in report.too_good.items()]
    said = [f"no leak in {report.counts}; {served:,} values are read from bytes as they were trained on", *good]
    return "; ".join([*said, *report.unchecked])
