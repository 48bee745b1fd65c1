"""Datasets without a lake, for what comes after the dataset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shared_features.formats.dataset_manifest import TimeSplit
from shared_features.kernel.event_time import DAY_US
from tests.shared_features.formats.test_dataset_manifest import DATASET
from training.datasets.time_split import GAP, TEST, TRAIN
from training.datasets.training_dataset import TrainingDataset

START_US = 20_000 * DAY_US
FEATURES = ("cents", "count", "ratio", "sparse", "constant", "empty")


def random_dataset(
    rows: int = 3_000, days: int = 8, train_days: int = 4, gap_days: int = 1, test_days: int = 3, seed: int = 3
) -> TrainingDataset:
    """Heavy tails, whole numbers, missing values, infinities, a constant and an empty column."""
    random = np.random.default_rng(seed)
    times = np.sort(START_US + random.integers(0, days * DAY_US, rows))
    matrix = random.lognormal(2, 2, (rows, len(FEATURES))).astype(np.float32)
    matrix[:, 0] = np.rint(matrix[:, 0] * 100) / np.float32(100)
    matrix[:, 1] = random.integers(0, 2**24, rows)
    signal = np.log(np.maximum(matrix[:, 0], 0.01)) - 4
    matrix[random.random(rows) < 0.01, 2] = np.inf
    matrix[random.random(rows) < 0.005, 2] = -np.inf
    matrix[random.random(rows) < 0.7, 3] = np.nan
    matrix[:, 4], matrix[:, 5] = 3, np.nan
    window = np.full(rows, GAP, np.int8)
    window[times < START_US + train_days * DAY_US] = TRAIN
    window[times >= START_US + (train_days + gap_days) * DAY_US] = TEST
    return TrainingDataset(
        features=FEATURES,
        matrix=matrix,
        label=(random.random(rows) < 1 / (1 + np.exp(-signal * 2))).astype(np.float64),
        window=window,
        partition=np.zeros(rows, np.int32),
        offset=np.arange(rows),
        event_time_us=times,
        entity=random.integers(0, 1_000, rows),
        manifest=replace(
            DATASET, split=TimeSplit(START_US, *(days * DAY_US for days in (train_days, gap_days, test_days)))
        ),
    )
