"""Pipelines: training runs with steps of your own, around the built-in ones or in place of them."""

from training.pipelines.pipeline import Pipeline
from training.pipelines.pipeline_step import PipelineStep
from training.pipelines.ready_made import DATASET, call_webhook, export_features, import_file, publish_files, score_rows
from training.steps.step import Queue, Spark, Subprocess

__all__ = [
    "DATASET",
    "Pipeline",
    "PipelineStep",
    "Queue",
    "Spark",
    "Subprocess",
    "call_webhook",
    "export_features",
    "import_file",
    "publish_files",
    "score_rows",
]
