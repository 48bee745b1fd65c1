"""A run as MLflow shows it: parameters, dataset, metrics, files and what became of each step. Written when it ended.

A process of its own does that: the client takes seconds and memory, a server may not answer, and neither may fail a run
or hold it up for long.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from shared_features.errors import FeatureError
from shared_features.formats.dataset_manifest import DATASET_FILE, decode_dataset_manifest
from shared_features.formats.training_run import DATASET_FOLDER
from shared_features.settings.registry_place import registry_place
from training.errors import RegistryError
from training.facts import shown
from training.registry.mlflow_bridge.client import mlflow_client
from training.registry.mlflow_bridge.dataset_input import log_dataset
from training.registry.mlflow_bridge.names import key, value
from training.registry.version_model_card import model_card_of
from training.registry.versions import Registry
from training.runs.records.run_folder import CURVES_FILE, LEAKS_FILE
from training.runs.records.run_report import read_report
from training.runs.records.run_summary import summarize
from training.settings import TrainingSettings
from training.steps.run_journal import JOURNAL_FILE, SUCCEEDED, read_journal

if TYPE_CHECKING:
    from mlflow import MlflowClient

TAG_RUN, TAG_VERSION, TAG_STEP = "millrace.run", "millrace.version", "millrace.step."
_LOG = structlog.get_logger(part="mlflow")
_LIMIT_S = 120.0
_AT_ONCE = 100
_FILES = (
    JOURNAL_FILE, "dataset/dataset.json", "validate/validation.json", f"leaks/{LEAKS_FILE}", "evaluate/metrics.json",
    f"evaluate/{CURVES_FILE}", "certify/certificate.json", "promote/promotion.json",
)  # fmt: skip


def tell_mlflow(settings: TrainingSettings, run: Path) -> None:
    """Write a run that has ended, where the settings name an MLflow. What goes wrong is logged, and nothing else.

    A run whose steps were all skipped found nothing new: MLflow has it from before.
    """
    if not settings.mlflow:
        return
    try:
        journal = read_journal(run)
        if journal.status == SUCCEEDED and not any(each.done == "run" for each in journal.steps.values()):
            return
        asked = {"uri": settings.mlflow, "run": str(run), "registry": str(settings.registry)}
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(asked),  # not as an argument: an address may hold a password
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except (FeatureError, OSError, subprocess.TimeoutExpired) as error:
        _LOG.warning("the run is not in MLflow", run=run.name, reason=type(error).__name__)
        return
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"its process ended with {done.returncode}"]
        _LOG.warning("the run is not in MLflow", run=run.name, reason=said[-1][:1_000])


def write_run(client: MlflowClient, run: Path, registry: Registry) -> str:
    """The id of the run in MLflow. One that was continued is written again into the same."""
    from mlflow.entities import Metric, Param, RunTag

    journal, report, summary = read_journal(run), read_report(run), summarize(run)
    view, name = run.parent.name, f"{run.parent.name}/{run.name}"
    known = client.get_experiment_by_name(view)
    experiment = client.create_experiment(view) if known is None else known.experiment_id
    found = client.search_runs([experiment], f"tags.`{TAG_RUN}` = '{name}'", max_results=1)
    begun = found[0] if found else client.create_run(
        experiment, journal.began_at_us // 1000, {TAG_RUN: name, "mlflow.runName": run.name}
    )  # fmt: skip
    theirs: str = begun.info.run_id
    now_ms = int(time.time() * 1000)
    logged = begun.data.params
    params = [Param(each, text) for each, text in _params(report.parameters, report.data) if each not in logged]
    metrics = [Metric(key(each), number, now_ms, 0) for each, number in _metrics(report.chosen, report.models)]
    tags = {f"{TAG_STEP}{each}": value(f"{entry.done}: {entry.reason}") for each, entry in journal.steps.items()}
    tags |= {f"millrace.{each}": value(shown(summary[each])) for each in ("chosen", "promoted") if each in summary}
    if "version" in summary:
        tags[TAG_VERSION] = f"{summary['model']} version {summary['version']}"
    if journal.error:
        tags["millrace.error"] = value(journal.error)
    for at in range(0, max(len(params), 1), _AT_ONCE):
        client.log_batch(theirs, params=params[at : at + _AT_ONCE])
    client.log_batch(theirs, metrics=metrics, tags=[RunTag(key(each), text) for each, text in tags.items()])
    if (dataset := run / DATASET_FOLDER / DATASET_FILE).is_file():
        log_dataset(client, theirs, decode_dataset_manifest(dataset.read_bytes(), str(dataset)))
    for file in _files(run):
        client.log_artifact(theirs, str(file), "" if file.parent == run else file.parent.name)
    for name, content in _model_card(registry, summary):
        client.log_text(theirs, content.decode(), f"{summary['version']}/{name}")
    ended_us = journal.ended_at_us or now_ms * 1000
    client.set_terminated(theirs, "FINISHED" if journal.status == SUCCEEDED else "FAILED", ended_us // 1000)
    return theirs


def _params(parameters: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for found in (parameters, {f"data/{name}": each for name, each in data.items()}):
        for name, each in found.items():
            text = json.dumps(each) if isinstance(each, dict) else shown(each)
            if text:
                yield key(name), value(text)


def _metrics(chosen: str, models: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    """Those of the candidate that was chosen under their own names, and all of them under that of the candidate."""
    for prefix, found in (("", models.get(chosen, {})), *((f"{name}/", each) for name, each in models.items())):
        for name, each in found.items():
            if isinstance(each, int | float) and math.isfinite(each):
                yield f"{prefix}{name}", float(each)


def _files(run: Path) -> Iterator[Path]:
    yield from (run / each for each in _FILES if (run / each).is_file())


def _model_card(registry: Registry, summary: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The model card of the version that the run published, if it is still in the registry."""
    if "version" not in summary:
        return
    with suppress(RegistryError):
        yield from model_card_of(registry, summary["model"], summary["version"]).items()


def main() -> int:
    """What `tell_mlflow` starts: it reads its request from standard input."""
    asked = json.loads(sys.stdin.read())
    try:
        with mlflow_client(asked["uri"]) as client:
            write_run(client, Path(asked["run"]), Registry(registry_place(asked["registry"])))
    except FeatureError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
