"""What later steps read of a file: a compaction of the tables fits no model again, other rows do."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared_features.formats.dataset_manifest import PinnedVersion, encode_dataset_manifest
from tests.shared_features.formats.test_dataset_manifest import DATASET
from training.runs.actions.input_digests import chosen_digest, rows_digest

DIGEST = rows_digest(encode_dataset_manifest(DATASET))


def test_tables_that_were_compacted_hold_the_same_rows() -> None:
    compacted = replace(
        DATASET, tables={"events_readings": PinnedVersion(8, ("other.parquet",))}, cut_us=DATASET.cut_us + 1
    )
    assert rows_digest(encode_dataset_manifest(compacted)) == DIGEST


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "cd" * 32},
        {"features": ("celsius",)},
        {"entity": "plant"},
        {"groups": {"machine_heat:v3": "another"}},
        {"view": replace(DATASET.view, fingerprint="another")},
        {"split": replace(DATASET.split, start_us=DATASET.split.start_us - 1)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_rows_other_windows_and_other_definitions_are_seen(change: dict[str, Any]) -> None:
    assert rows_digest(encode_dataset_manifest(replace(DATASET, **change))) != DIGEST


def test_of_the_metrics_only_the_chosen_model_counts() -> None:
    metrics = {"chosen": "random_forest", "models": {"random_forest": {"roc_auc": 0.9}}}
    digest = chosen_digest(json.dumps(metrics).encode())
    assert chosen_digest(json.dumps({**metrics, "models": {}}).encode()) == digest
    assert chosen_digest(json.dumps({**metrics, "chosen": "logistic_regression"}).encode()) != digest
