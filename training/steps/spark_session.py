"""A session of Apache Spark for one step: begun by its target, ended with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from training.errors import StepError
from training.steps.step import Spark

_OF_ONE_MACHINE = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.pyspark.python": sys.executable,
    "spark.pyspark.driver.python": sys.executable,
    "spark.executorEnv.PYTHONPATH": os.pathsep.join(each or str(Path.cwd()) for each in sys.path),
    "spark.ui.enabled": "false",
}
"""Where all executors are here, they are this very installation, and nobody else hears of them."""


@contextmanager
def spark_session(target: Spark, step: str) -> Iterator[Any]:
    """A SparkSession. Raises StepError where Spark or Java is missing."""
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise StepError(
            f"step {step!r} needs Apache Spark, which is not installed. Install the extra `millrace[spark]`, and Java "
            "17."
        ) from error
    defaults = _OF_ONE_MACHINE if target.master.startswith("local") else {}
    if defaults:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder.master(target.master).appName(f"millrace {step}")
    for name, value in {"spark.sql.session.timeZone": "UTC", **defaults, **target.options}.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError) as error:
        raise StepError(
            f"step {step!r}: Spark at {target.master} did not begin: {error}. See that Java 17 is installed and that "
            "the master answers."
        ) from error
    try:
        yield session
    finally:
        session.stop()
