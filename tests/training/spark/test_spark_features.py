"""Features by Spark have the bits of features by one process, on several executors, however the rows are dealt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shared_features.kernel.event_time import HOUR_US
from tests.architecture.source_tree import ROOT
from tests.domains.machines import BREAKDOWN
from tests.domains.visits import COMES_AGAIN
from tests.libraries_apart import libraries_apart
from tests.training.datasets.test_categories import START_US as FIRST_VISIT_US
from tests.training.datasets.test_categories import write_visits
from tests.training.machine_streams import START_US, end_us
from training.datasets.given_spine import check_spine
from training.datasets.historical_features import historical_features
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError
from training.spark.spark_features import historical_features as by_partitions

pytestmark = [pytest.mark.deep, pytest.mark.slow]
SEVERAL = "local-cluster[2,1,1024]"
"""Two executors, each a process of its own, as on two machines."""


@pytest.fixture(scope="module")
def spark_path() -> Path:
    return libraries_apart("spark.lock", "Apache Spark")


def by_spark(
    spark_path: Path, master: str, folder: Path, definitions: str, lake: Path, function: str, **arguments: Any
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
    environment |= {
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(spark_path))),
        "SPARK_HOME": str(spark_path / "pyspark"),
        "MILLRACE_DEFINITIONS": definitions,
        "MILLRACE_LAKE": str(lake),
    }
    command = [sys.executable, "-m", "tests.training.spark.spark_steps", master, str(folder), function]
    command.append(json.dumps(arguments))
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


def spine_of_machines() -> pl.DataFrame:
    random = np.random.default_rng(7)
    machine = random.integers(0, 9, 400)
    at_us = START_US + random.integers(HOUR_US, end_us() - START_US, 400)
    return pl.DataFrame(
        {
            "number": np.arange(400),
            "plant": [f"plant|{each % 3}" for each in machine],
            "machine": [f"m{each}" for each in machine],
            "as_of": pl.Series(at_us).cast(pl.Datetime("us", "UTC")),
            "celsius": random.integers(100, 900, 400) / 10,
            "humidity": [None if each % 5 == 0 else each / 400 for each in range(400)],
        }
    )


@pytest.mark.parametrize(("truth", "lag_s", "partitions"), [("as-served", 2.5, 7), ("event-time", 0.0, None)])
def test_two_executors_give_the_bits_of_one_process(
    spark_path: Path, machine_lake: Path, tmp_path: Path, truth: Any, lag_s: float, partitions: int | None
) -> None:
    spine = spine_of_machines()
    spine.write_parquet(tmp_path / "spine.parquet")
    asked = {"truth": truth, "lag_seconds": lag_s, "partitions": partitions}
    done = by_spark(
        spark_path, SEVERAL, tmp_path, "tests.domains.machines", machine_lake, "compute_features",
        spine=str(tmp_path / "spine.parquet"), **asked,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1:] == ["computed 400 rows"], done.stderr[-3000:]
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert facts["executors"] == 2
    assert facts["partitions"] == (partitions or 2 * 2), "a spine of few bytes is computed by every executor, too"
    found = pl.read_parquet(tmp_path / "features.parquet" / "*.parquet").sort("number")
    want = historical_features(OfflineStore(machine_lake), check_spine(BREAKDOWN, spine), truth, round(lag_s * 1e6))
    names = [column.name for column in BREAKDOWN.columns]
    ours, theirs = (each.select(names).to_numpy().astype(np.float32).view(np.uint32) for each in (found, want))
    np.testing.assert_array_equal(ours, theirs)
    assert not np.isnan(want["hot_plant__count_2h"].to_numpy()).all()
    assert found.columns == want.columns


def test_categories_come_back_as_their_values(spark_path: Path, tmp_path: Path) -> None:
    write_visits(tmp_path / "lake")
    spine = pl.DataFrame(
        {
            "number": np.arange(60),
            "patient": np.arange(60) % 40,
            "urgent": [each % 2 == 0 for each in range(60)],
            "floor": np.arange(60) % 3,
            "hours": np.arange(60) % 7 + 0.5,
            "as_of": pl.Series(FIRST_VISIT_US + np.arange(60) * HOUR_US).cast(pl.Datetime("us", "UTC")),
        }
    )
    spine.write_parquet(tmp_path / "spine.parquet")
    done = by_spark(
        spark_path, "local[2]", tmp_path, "tests.domains.visits", tmp_path / "lake", "compute_features",
        spine=str(tmp_path / "spine.parquet"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = pl.read_parquet(tmp_path / "features.parquet" / "*.parquet").sort("number")
    want = historical_features(OfflineStore(tmp_path / "lake"), check_spine(COMES_AGAIN, spine))
    names = [column.name for column in COMES_AGAIN.columns]
    assert found.select(names).equals(want.select(names), null_equal=True)


def test_a_row_that_cannot_be_meant_is_told_by_its_entity_and_not_by_a_number_of_its_part(
    spark_path: Path, machine_lake: Path, tmp_path: Path
) -> None:
    """It was told with the number in its part, which led to another row of the table."""
    spine = spine_of_machines()
    wrong = pl.when(pl.col("number") == 317).then(501.0).otherwise("celsius")
    spine.with_columns(celsius=wrong).write_parquet(tmp_path / "spine.parquet")
    done = by_spark(
        spark_path, "local[2]", tmp_path, "tests.domains.machines", machine_lake, "compute_features",
        spine=str(tmp_path / "spine.parquet"),
    )  # fmt: skip
    assert done.returncode == 1
    plant, machine, at = spine.select("plant", "machine", "as_of").row(317)
    told = f"The row has plant={plant!r}, machine={machine!r}, as_of={at.isoformat().replace('+00:00', 'Z')}, "
    assert "Column 'celsius' of the spine has a wrong value in a row: out of bounds" in done.stderr
    assert told in done.stderr
    assert "of the spine has a wrong value in row" not in done.stderr


def test_a_function_that_raises_fails_the_step_with_its_own_words(
    spark_path: Path, machine_lake: Path, tmp_path: Path
) -> None:
    done = by_spark(spark_path, "local[1]", tmp_path, "tests.domains.machines", machine_lake, "fail")
    assert done.returncode == 1
    assert "step 'by_spark' raised ValueError: as it was told" in done.stderr


@pytest.mark.parametrize("lag_s", [float("nan"), -1.0])
def test_a_lag_that_cannot_be_meant_is_refused_before_anything_is_read(lag_s: float) -> None:
    with pytest.raises(DatasetError, match=r"The lag is (nan|-1\.0)\. No event counts .* Give seconds, 0 or more"):
        by_partitions(None, "breakdown", lag_seconds=lag_s, definitions="tests.domains.machines", lake="nowhere")
