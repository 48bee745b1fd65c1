"""More than one machine: the features of many rows by Apache Spark, whose executors run the kernel that serving runs.

Needs the extra `millrace[spark]`, Java 17, and a lake that every executor reads under the same path.
"""

from training.spark.spark_features import historical_features

__all__ = ["historical_features"]
