"""A training dataset as an input of a run in MLflow, which shows and searches runs by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from shared_features.formats.dataset_manifest import DatasetManifest
from shared_features.kernel.event_time import to_text
from training.registry.model_card.data_tables import window_facts

if TYPE_CHECKING:
    from mlflow import MlflowClient


def log_dataset(client: MlflowClient, run: str, found: DatasetManifest) -> None:
    """What the dataset is: its view, the versions of its tables and the cut, its columns and its rows.

    MLflow takes 36 characters of a digest; the source has all of it. The same dataset is not a second input.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source = {
        "tables": {name: each.version for name, each in found.tables.items()},
        "complete_up_to": to_text(found.cut_us),
        "labels_known_at": to_text(found.labels.cutoff_us),
        **window_facts(found),
        "sha256": found.digest,
    }
    profile = {"train_rows": found.rows.train.labelled, "test_rows": found.rows.test.labelled, "task": found.task}
    schema = {"features": list(found.features), "classes": list(found.classes)}
    dataset = Dataset(
        f"{found.view.name}-v{found.view.version}", found.digest[:36], "millrace", json.dumps(source),
        json.dumps(schema)[:60_000], json.dumps(profile),
    )  # fmt: skip
    client.log_inputs(run, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])
