from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.dataset_manifest import (
    DATASET_FILE,
    DatasetManifest,
    DatasetParameters,
    DatasetView,
    LabelCounts,
    PinnedVersion,
    RowCounts,
    TimeSplit,
    WindowCounts,
    decode_dataset_manifest,
    encode_dataset_manifest,
)
from shared_features.formats.dataset_rows import BroughtSpine
from streaming.operations.registry_look import RegistryLook
from streaming.settings import load_settings
from tests.shared_features.formats.test_model_manifest import MANIFEST
from training.registry.versions import Registry

DATASET = DatasetManifest(
    view=DatasetView("breakdown", 2, "0123456789abcdef"),
    groups={"machine_heat:v3": "fedcba9876543210"},
    cut_us=1_728_000_000_000_000,
    allowed_lateness_us=600_000_000,
    tables={"events_readings": PinnedVersion(7, ("arrival_date=2024-10-04/part-1.parquet",))},
    labels=LabelCounts(cutoff_us=1_727_999_999_999_999, known=3000, conflicting=1),
    split=TimeSplit(1_728_000_000_000_000, 518_400_000_000, 86_400_000_000, 259_200_000_000),
    entity="machine",
    parameters=DatasetParameters(train_days=6.0, delay_days=1.0),
    features=("celsius", "machine_heat__celsius_mean_1h"),
    rows=RowCounts(20, WindowCounts(1500, 90, 3), WindowCounts(250, 15, 0), WindowCounts(750, 45, 2), 300, 71),
    digest="ab" * 32,
    erased_entities=2,
)

GOLDEN = """{
  "allowed_lateness_us": 600000000,
  "categories": {},
  "classes": [],
  "cut_us": 1728000000000000,
  "data_digest": "",
  "digest": "abababababababababababababababababababababababababababababababab",
  "division": null,
  "entity": "machine",
  "erased_entities": 2,
  "features": [
    "celsius",
    "machine_heat__celsius_mean_1h"
  ],
  "groups": {
    "machine_heat:v3": "fedcba9876543210"
  },
  "is_range": false,
  "labels": {
    "by_source": {},
    "conflicting": 1,
    "cutoff_us": 1727999999999999,
    "known": 3000,
    "outside": 0
  },
  "libraries": {},
  "parameters": {
    "cutoff_us": null,
    "delay_days": 1.0,
    "entity": null,
    "seed": 0,
    "test_days": null,
    "test_from_us": null,
    "test_to_us": null,
    "train_days": 6.0,
    "train_from_us": null,
    "train_to_us": null
  },
  "rows": {
    "copies_left_out": 20,
    "gap": {
      "by_class": [],
      "by_source": {},
      "labelled": 250,
      "positive": 15,
      "unknown_label_left_out": 0,
      "without_label": 0
    },
    "labelled_after": 71,
    "labelled_before": 300,
    "test": {
      "by_class": [],
      "by_source": {},
      "labelled": 750,
      "positive": 45,
      "unknown_label_left_out": 2,
      "without_label": 0
    },
    "train": {
      "by_class": [],
      "by_source": {},
      "labelled": 1500,
      "positive": 90,
      "unknown_label_left_out": 3,
      "without_label": 0
    }
  },
  "schema_version": 1,
  "spine": null,
  "split": {
    "gap_us": 86400000000,
    "start_us": 1728000000000000,
    "test_us": 259200000000,
    "train_us": 518400000000
  },
  "tables": {
    "events_readings": {
      "files": [
        "arrival_date=2024-10-04/part-1.parquet"
      ],
      "version": 7
    }
  },
  "task": "binary",
  "view": {
    "fingerprint": "0123456789abcdef",
    "name": "breakdown",
    "version": 2
  }
}
"""


def test_golden_bytes() -> None:
    assert encode_dataset_manifest(DATASET).decode() == GOLDEN


def test_a_manifest_reads_back_and_unknown_keys_are_left_out() -> None:
    assert decode_dataset_manifest(GOLDEN.encode()) == DATASET
    later = json.loads(GOLDEN) | {"added_later": 1}
    later["rows"]["added_later"] = 2
    assert decode_dataset_manifest(json.dumps(later).encode()) == DATASET


def test_a_manifest_from_before_erasures_is_read() -> None:
    earlier = json.loads(GOLDEN)
    del earlier["erased_entities"]
    assert decode_dataset_manifest(json.dumps(earlier).encode()) == replace(DATASET, erased_entities=0)


_OF_EXPORTS = ("spine", "data_digest", "libraries", "is_range", "division")


def test_a_manifest_from_before_exported_directories_is_read() -> None:
    earlier = {key: value for key, value in json.loads(GOLDEN).items() if key not in _OF_EXPORTS}
    assert decode_dataset_manifest(json.dumps(earlier).encode()) == DATASET


def test_the_manifest_of_a_brought_spine_reads_back() -> None:
    brought = replace(DATASET, spine=BroughtSpine(7, "cd" * 32, "event-time", 0, "late"), data_digest="ef" * 32)
    assert decode_dataset_manifest(encode_dataset_manifest(brought)) == brought


def test_another_schema_and_damaged_bytes_are_refused_with_what_to_do() -> None:
    found = json.loads(GOLDEN)
    with pytest.raises(FormatVersionError, match=r"d\.json was written by schema 9, this reader knows 1. Run the"):
        decode_dataset_manifest(json.dumps({**found, "schema_version": 9}).encode(), "d.json")
    found["split"]["start_us"] = "soon"
    with pytest.raises(FormatVersionError, match=r"d\.json is damaged: .*`\$\.split\.start_us`\. Restore the file, or"):
        decode_dataset_manifest(json.dumps(found).encode(), "d.json")


def test_what_training_publishes_is_what_streaming_reads(tmp_path: Path) -> None:
    published = Registry(tmp_path).publish(MANIFEST, b"graph", {}, DATASET)
    assert (Path(published.where) / DATASET_FILE).read_text() == GOLDEN
    (pinned,) = RegistryLook(load_settings(registry=tmp_path)).datasets()
    assert str(pinned) == f"the dataset of model {MANIFEST.model} version 1"
    assert (pinned.start_us, pinned.cut_us) == (DATASET.split.start_us, DATASET.cut_us)
    assert pinned.tables == {"events_readings": ("arrival_date=2024-10-04/part-1.parquet",)}
