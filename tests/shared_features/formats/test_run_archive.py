"""The description of an archived run: its bytes stay, and one that could harm its reader is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from shared_features.definitions import load_definitions
from shared_features.errors import FormatVersionError
from shared_features.formats.dataset_manifest import DATASET_FILE, DatasetView, PinnedVersion
from shared_features.formats.offline_tables import OFFSET, PARTITION
from shared_features.formats.run_archive import (
    IMPORTED_FOLDER,
    ArchivedStep,
    RunArchive,
    decode_run_archive,
    encode_run_archive,
    unsafe_name,
)
from shared_features.formats.training_run import DATASET_FOLDER
from streaming.operations.erasure.stores.training_runs import runs_with
from tests.domains.machines import BREAKDOWN
from tests.training.random_dataset import random_dataset

ARCHIVE = RunArchive(
    id="nightly-1",
    status="succeeded",
    template="retrain",
    parameters={"top": 5},
    asked_at="2026-11-29T03:00:00+00:00",
    steps=(
        ArchivedStep("dataset", "done", "no earlier run has it", 1.5, "40 rows"),
        ArchivedStep("fit", "skipped", needs=("dataset",)),
    ),
    files={"dataset/dataset.json": ("ab" * 32, 7)},
    data=False,
    began_at_ms=1_764_385_200_000,
    ended_at_ms=1_764_385_260_000,
    summary={"cut_us": 7, "metrics": {"average_precision": 0.5}, "view": {"fingerprint": "0f", "label": "b:v2"}},
    reason="schedule nightly",
)
GOLDEN = """{
  "asked_at": "2026-11-29T03:00:00+00:00",
  "began_at_ms": 1764385200000,
  "data": false,
  "ended_at_ms": 1764385260000,
  "error": "",
  "files": {
    "dataset/dataset.json": [
      "abababababababababababababababababababababababababababababababab",
      7
    ]
  },
  "id": "nightly-1",
  "origin": null,
  "parameters": {
    "top": 5
  },
  "reason": "schedule nightly",
  "schema_version": 1,
  "status": "succeeded",
  "steps": [
    {
      "line": "40 rows",
      "name": "dataset",
      "needs": [],
      "reason": "no earlier run has it",
      "seconds": 1.5,
      "state": "done"
    },
    {
      "line": "",
      "name": "fit",
      "needs": [
        "dataset"
      ],
      "reason": "",
      "seconds": null,
      "state": "skipped"
    }
  ],
  "summary": {
    "cut_us": 7,
    "metrics": {
      "average_precision": 0.5
    },
    "view": {
      "fingerprint": "0f",
      "label": "b:v2"
    }
  },
  "template": "retrain"
}
"""


def test_golden_bytes() -> None:
    assert encode_run_archive(ARCHIVE).decode() == GOLDEN
    assert decode_run_archive(GOLDEN.encode()) == ARCHIVE
    assert decode_run_archive(json.dumps(json.loads(GOLDEN) | {"added_later": 1}).encode()) == ARCHIVE
    earlier = {name: value for name, value in json.loads(GOLDEN).items() if name != "reason"}
    assert decode_run_archive(json.dumps(earlier).encode()) == replace(ARCHIVE, reason="")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": 2}, r"a\.json was written by schema 2, this reader knows 1. Run the release that wrote it"),
        ({"status": "running"}, "its status is 'running', and only a run that has ended is archived"),
        ({"asked_at": "soon"}, "asked_at is 'soon', which is not an instant"),
        ({"asked_at": "2026-11-29T03:00:00"}, "which is not an instant"),
        ({"summary": {"metrics": "good"}}, "its summary: .*metrics"),
        ({"summary": {"cut_us": 10**30}}, "its summary: .*cut_us"),
        ({"ended_at_ms": 10**15}, "is damaged: .*ended_at_ms"),
        ({"steps": []}, "it has no steps"),
        ({"steps": [{"name": "../../etc/passwd", "state": "done"}]}, "its step '../../etc/passwd' has no name of its"),
        ({"steps": [{"name": "a", "state": "done", "needs": ["a"]}]}, "waits for a step that does not come before it"),
        ({"steps": [{"name": "a", "state": "<script>"}]}, "its step 'a' is '<script>'"),
        ({"files": {"../x": ["ab", 1]}}, "its file '../x' leads out of the folder of the run"),
        ({"files": {"fit/model.pickle": ["ab", 1]}}, "'fit/model.pickle' is not one that a run is archived with"),
        ({"files": {"archive.json": ["ab", 1]}}, "'archive.json' is not one that a run is archived with"),
    ],
)
def test_what_no_run_can_be_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(FormatVersionError, match=said):
        decode_run_archive(json.dumps(json.loads(GOLDEN) | change).encode(), "a.json")


def test_names_that_could_lie_elsewhere_are_unsafe() -> None:
    for name in ("", "/x", "../x", "a/../x", "a//b", "./a", "a/.", "a\\b", "a\0b", "a/"):
        assert unsafe_name(name), name
    for name in ("a", "a/b.json", "a/..b", ".a"):
        assert not unsafe_name(name), name


def test_an_erasure_reaches_the_rows_of_an_imported_run_and_leaves_one_without_rows(tmp_path: Path) -> None:
    dataset = random_dataset(rows=100)
    view = DatasetView(BREAKDOWN.name, BREAKDOWN.version, BREAKDOWN.fingerprint)
    told = replace(dataset.manifest, view=view, tables={"events_readings": PinnedVersion(1, ())})
    runs = tmp_path / IMPORTED_FOLDER
    for name in ("whole", "described"):
        (runs / name / DATASET_FOLDER).mkdir(parents=True)
        replace(dataset, manifest=told).save(runs / name / DATASET_FOLDER)
    for file in (runs / "described" / DATASET_FOLDER).iterdir():
        if file.name != DATASET_FILE:
            file.unlink()
    gone = pa.table({PARTITION: pa.array([0], pa.int32()), OFFSET: pa.array([99], pa.int64())})
    catalogue = load_definitions("tests.domains.machines")
    assert runs_with(tmp_path, catalogue, {"readings": gone}) == {runs / "whole": True}
