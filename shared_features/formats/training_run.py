"""The wall "training run": what training keeps of its runs. Training writes it; an erasure in streaming reaches it.

    <runs>/step-results/<key>/dataset/rows.parquet             one row per labelled event
                                      matrix.npy               float32, one line per row: the view's features
                                      dataset.json             `formats.dataset_manifest`
                                      sampled_inputs.pickle    request fields and stored features of some rows
                        <key>/fit/<candidate>.pickle           fitted on those rows
                        <key>/validate/failing_rows.json       values of some events, where they are not as expected
                        <key>/<step>/...                       reports and the exported model: no row of any entity
                        <key>/result.json                      `StepResult`; written last
                        new-<random>/begun.json, <step>/...    one that is being written
    <runs>/<view>/<run>/<step>    a link to the folder of that step's result, or what a step left that has none
                        run.json  what was asked for and what each step said; training's own
    <runs>/imported-runs/<run>/<step>/...   a run that was done elsewhere (`formats.run_archive`), with or without rows

Only a folder `dataset`, and what is above, holds values of single events. Whatever was made from a dataset, to any
depth, names the digests that it was made from: `StepResult.made_from`. A folder `dataset` that is empty has just been
begun: its step counts erasures after it has saved its rows, and removes it where the count changed. Runs of
earlier releases hold the folders themselves instead of links.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from shared_features.formats.json_document import decode_document, encode_document
from shared_features.formats.offline_tables import OFFSET, PARTITION

SCHEMA_VERSION = 1

RESULTS_FOLDER = "step-results"
"""Beside the folders of views. No view has this name, because it is not an identifier."""
NEW_PREFIX = "new-"
RESULT_FILE = "result.json"
BEGUN_FILE = "begun.json"

DATASET_FOLDER = "dataset"
DATASET_FOLDERS = f"*/*/{DATASET_FOLDER}"
"""Every dataset below the directory of the runs, as a glob: those of results, and those of runs of earlier releases."""

ROWS_FILE = "rows.parquet"
MATRIX_FILE = "matrix.npy"
SAMPLED_INPUTS_FILE = "sampled_inputs.pickle"

EVENT_TIME = "event_time_us"
ENTITY = "entity"
LABEL = "label"
WINDOW = "window"
ROW_COLUMNS = (PARTITION, OFFSET, EVENT_TIME, ENTITY, LABEL, WINDOW)
"""Columns of rows.parquet (int32, int64, int64, int64, float64, int8), in order of position. entity: the key of the
entity that evaluation follows, or its rank among the keys where they are texts. window: 0 train, 1 gap, 2 test."""


@dataclass(frozen=True)
class StepResult:
    """What a step left. made_from: input, as `step/file` -> its digest. files: name -> digest and size in bytes.

    line: what the step said. begun.json is the same document before there are files.
    """

    step: str
    key: str
    made_from: Mapping[str, str]
    files: Mapping[str, tuple[str, int]]
    line: str = ""
    schema_version: int = SCHEMA_VERSION


def encode_step_result(result: StepResult) -> bytes:
    """The file's content; equal results give equal bytes."""
    return encode_document(asdict(result))


def decode_step_result(content: bytes, where: str = RESULT_FILE) -> StepResult:
    """The result in these bytes. Raises FormatVersionError, naming `where`."""
    return decode_document(
        content, StepResult, SCHEMA_VERSION, where, "the result of a training step", "remove its folder and train again"
    )
