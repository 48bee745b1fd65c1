"""The names of the steps of each template, in their order; importable without any library."""

from __future__ import annotations

from training.runs.plan.batch_score import BATCH_SCORE

RETRAIN = "retrain"
STEP_NAMES = ("dataset", "validate", "leaks", "fit", "evaluate", "export", "certify", "publish", "promote")
"""Of `retraining.STEPS`."""
_OF_TEMPLATE = {RETRAIN: STEP_NAMES, BATCH_SCORE: ("score",)}


def step_names(template: str) -> tuple[str, ...]:
    """Those of a run of a template that has no pipeline."""
    return _OF_TEMPLATE[template]
