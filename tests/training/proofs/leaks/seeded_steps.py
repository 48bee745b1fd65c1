"""Steps of a pipeline that add columns to the rows of the dataset: an honest one, and those that leak."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from training.datasets.training_dataset import TrainingDataset, load_dataset

_DAY_US = 86_400_000_000
_calls: list[int] = []


def _written(output: Path, dataset: TrainingDataset, values: Any) -> str:
    rows = pl.DataFrame({"kafka_partition": dataset.partition, "kafka_offset": dataset.offset})
    rows.with_columns(pl.Series("column", values)).write_parquet(output / "more.parquet")
    return "written"


def _known_rate(dataset: TrainingDataset, delay_us: int) -> pl.Series:
    """Of each row: the mean label of its entity's rows whose label was known."""
    rows = pl.DataFrame({"row": range(len(dataset)), "entity": dataset.entity, "at": dataset.event_time_us})
    seen = rows.with_columns(label=pl.Series(dataset.label)).drop("row").rename({"at": "their_at"})
    pairs = rows.join(seen, on="entity").filter(pl.col("their_at") + delay_us < pl.col("at"))
    means = pairs.group_by("row").agg(column=pl.col("label").mean())
    return rows.join(means, on="row", how="left", maintain_order="left")["column"]


def honest(inputs: Path, output: Path) -> str:
    dataset = load_dataset(inputs / "dataset")
    return _written(output, dataset, _known_rate(dataset, _DAY_US))


def label_without_its_delay(inputs: Path, output: Path) -> str:
    dataset = load_dataset(inputs / "dataset")
    return _written(output, dataset, _known_rate(dataset, 0))


def target_encoding(inputs: Path, output: Path) -> str:
    dataset = load_dataset(inputs / "dataset")
    label = pl.DataFrame({"entity": dataset.entity % 7, "label": dataset.label})
    return _written(output, dataset, label.select(pl.col("label").mean().over("entity"))["label"])


def next_row(inputs: Path, output: Path) -> str:
    dataset = load_dataset(inputs / "dataset")
    np.save(output / "more.npy", np.roll(dataset.matrix[:, 0], -1))
    return "written"


def whole_set(inputs: Path, output: Path) -> str:
    dataset = load_dataset(inputs / "dataset")
    cents = np.asarray(dataset.matrix[:, 0], np.float64)
    return _written(output, dataset, (cents - cents.mean()) / cents.std())


def centred_window(inputs: Path, output: Path) -> str:
    dataset = load_dataset(inputs / "dataset")
    cents = np.asarray(dataset.matrix[:, 0], np.float64)
    return _written(output, dataset, np.convolve(cents, [1, 1, 1], "same"))


def row_in_its_own_window(inputs: Path, output: Path) -> str:
    dataset = load_dataset(inputs / "dataset")
    return _written(output, dataset, np.cumsum(np.asarray(dataset.matrix[:, 0], np.float64)))


def clock(inputs: Path, output: Path) -> str:
    dataset = load_dataset(inputs / "dataset")
    return _written(output, dataset, time.time() - dataset.event_time_us / 1e6)


def state(inputs: Path, output: Path) -> str:
    dataset = load_dataset(inputs / "dataset")
    _calls.append(1)
    return _written(output, dataset, dataset.label * 0 + len(_calls))


def tomorrows_file(inputs: Path, output: Path) -> str:
    dataset = load_dataset(inputs / "dataset")
    return _written(output, dataset, dataset.matrix[:, 0] * float(Path(os.environ["TOMORROWS_RATES"]).read_text()))


def of_a_file(inputs: Path, output: Path, rates: Path) -> str:
    """A file that the step declares is part of its inputs."""
    dataset = load_dataset(inputs / "dataset")
    return _written(output, dataset, dataset.matrix[:, 0] * float(rates.read_text()))


def no_table(inputs: Path, output: Path) -> str:
    (output / "count.txt").write_text(str(len(load_dataset(inputs / "dataset"))))
    return "counted"


def fails(inputs: Path, output: Path) -> str:
    raise RuntimeError("no GPU")


SEEDED = (
    (next_row, "what later events say"),
    (label_without_its_delay, "labels that were not known yet"),
    (whole_set, "rows that come later"),
    (centred_window, "rows that come later"),
    (target_encoding, "labels that were not known yet"),
    (clock, "the clock"),
    (state, "what was computed before"),
    (tomorrows_file, "a file or connection: "),
    (row_in_its_own_window, "rows of the same instant, itself among them"),
)
