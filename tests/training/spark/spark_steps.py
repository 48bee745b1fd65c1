"""Steps that a session of Spark is handed to, called in a process that has Spark: `python -m ... MASTER FOLDER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from training.spark import historical_features
from training.steps.plain_call import call_step
from training.steps.step import Spark, Step, Task


def compute_features(inputs: Path, output: Path, spark: Any, spine: str, **asked: Any) -> str:
    """The features of a spine, and which processes computed them."""
    frame = spark.read.parquet(spine)
    done = historical_features(frame, **asked)
    done.write.parquet(str(output / "features.parquet"))
    executors = spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() - 1  # the driver is counted as one
    (output / "facts.json").write_text(json.dumps({"executors": executors, "partitions": done.rdd.getNumPartitions()}))
    return f"computed {frame.count()} rows"


def fail(inputs: Path, output: Path, spark: Any) -> str:
    raise ValueError("as it was told")


if __name__ == "__main__":
    master, folder, function, arguments = sys.argv[1:]
    given = json.loads(arguments)
    step = Step("by_spark", f"tests.training.spark.spark_steps:{function}", arguments=given, target=Spark(master))
    sys.stdout.write(call_step(step, Task(Path(folder), Path(folder), None)) + "\n")
