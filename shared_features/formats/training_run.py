"""The wall "training run": what the folder of a run holds. Training writes it; an erasure in streaming reaches into it.

    <runs>/<view>/<run>/dataset/rows.parquet             one row per labelled event
                                matrix.npy               float32, one line per row: the view's features
                                dataset.json             `formats.dataset_manifest`
                                sampled_inputs.pickle    request fields and stored features of some rows
                        fit/<candidate>.pickle           fitted on those rows
                        <step>/...                       reports and the exported model: no row of any entity

Only the folder `dataset` holds values of single events. A folder `dataset` that is empty has just been begun: its run
counts erasures after it has saved its rows, and is removed by itself where the count changed.
"""

from __future__ import annotations

from shared_features.formats.offline_tables import OFFSET, PARTITION

SCHEMA_VERSION = 1

DATASET_FOLDER = "dataset"
DATASET_FOLDERS = f"*/*/{DATASET_FOLDER}"
"""Every dataset below the directory of the runs, as a glob."""

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
