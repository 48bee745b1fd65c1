"""What a task asks of a model: its candidates, its metrics, what the gate compares, what the graph gives.

Importable without scikit-learn: the command line and a scheduler at rest ask too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from shared_features.arguments import did_you_mean
from training.errors import TrainingError
from training.models.metrics.precision_name import PRECISION_AT_K, k_of, precision_at

BETTER_IS_MORE: Mapping[str, bool] = {
    "roc_auc": True,
    "average_precision": True,
    "log_loss": False,
    "brier_score": False,
    "calibration_error": False,
    "accuracy": True,
    "f1_macro": True,
    "roc_auc_macro": True,
    "average_precision_macro": True,
    "r2": True,
    "rmse": False,
    "mae": False,
    "pinball_10": False,
    "pinball_50": False,
    "pinball_90": False,
}
"""The metrics that a floor may name, and whether more of one is better; beside them, entity precision of any K."""


def more_is_better(metric: str) -> bool:
    return k_of(metric) is not None or BETTER_IS_MORE[metric]


def floor_fault(metric: str, floor: object) -> str:
    """What is wrong with the value of a floor, behind the value; "" where a model may reach it."""
    if isinstance(floor, bool) or not isinstance(floor, int | float) or not math.isfinite(floor):
        return "; give a number"
    if more_is_better(metric):
        return ", which no model reaches; give 1 or less" if floor > 1 else ""
    return ", which no model reaches; give 0 or more" if floor < 0 else ""


def is_metric(name: str) -> bool:
    """Whether the metric is one of any task."""
    return name in BETTER_IS_MORE or k_of(name) is not None


METRIC_NAMES = (*BETTER_IS_MORE, PRECISION_AT_K)
"""Those of all tasks, as a message lists them."""


@dataclass(frozen=True)
class TaskRules:
    """Rules of one task.

    models: its candidates. metrics: those that a floor may name, beside entity precision. chosen_by: the metric that
    chooses a candidate and that the gate compares. floors: the worst values that may become champion, where nobody says
    otherwise. output_name: what the graph gives.
    """

    name: str
    models: tuple[str, ...]
    metrics: tuple[str, ...]
    chosen_by: str
    floors: Mapping[str, float]
    output_name: str

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics, as a message lists them."""
        return (*self.metrics, PRECISION_AT_K) if self.name == "binary" else self.metrics

    def knows(self, metric: str) -> bool:
        """Whether models, floors and the gate may name it: entity precision is one of two outcomes."""
        return metric in self.metrics or (self.name == "binary" and k_of(metric) is not None)

    def advice(self, name: str) -> str:
        """What was probably meant by a metric that it does not know, as the sentence that follows an error."""
        if PRECISION_AT_K in self.metric_names and name.startswith(PRECISION_AT_K.partition("K")[0]):
            return f" K is a number from 1 on, as in {precision_at(50)}."
        return did_you_mean(name, self.metric_names)

    def check_models(self, names: tuple[str, ...], ours: tuple[str, ...] = ()) -> None:
        """Raises TrainingError for a candidate of another task. ours: those that a model names; they win."""
        known = ours or self.models
        if unknown := [name for name in names if name not in known]:
            said = f"The label asks for {self.name}, and {', '.join(unknown)} cannot learn it."
            if ours or unknown[0] not in MODELS:
                said = f"The model has no candidate {', '.join(unknown)}."
            raise TrainingError(f"{said} Give some of {', '.join(known)}.")

    def check_floors(self, floors: Mapping[str, float]) -> None:
        """Raises TrainingError for a metric of another task, and for a value that no model reaches."""
        if unknown := [name for name in floors if not self.knows(name)]:
            raise TrainingError(
                f"A model of {self.name} has no metric {', '.join(unknown)}. Give a floor for some of "
                f"{', '.join(self.metric_names)}.{self.advice(unknown[0])}"
            )
        for name, value in floors.items():
            if fault := floor_fault(name, value):
                raise TrainingError(f"A floor is {name}={value:g}{fault}.")


RULES: Mapping[str, TaskRules] = {
    "binary": TaskRules(
        "binary",
        ("hist_gradient_boosting", "random_forest", "logistic_regression"),
        ("roc_auc", "average_precision", "log_loss", "brier_score", "calibration_error"),
        "average_precision",
        {"roc_auc": 0.5},  # below, a score ranks worse than chance
        "score",
    ),
    "multiclass": TaskRules(
        "multiclass",
        ("hist_gradient_boosting", "random_forest", "logistic_regression"),
        ("log_loss", "accuracy", "f1_macro", "roc_auc_macro", "average_precision_macro", "calibration_error"),
        "log_loss",
        {"roc_auc_macro": 0.5},  # below, the classes are ranked worse than by chance
        "probabilities",
    ),
    "regression": TaskRules(
        "regression",
        ("hist_gradient_boosting", "random_forest", "linear_regression"),
        ("r2", "rmse", "mae", "pinball_10", "pinball_50", "pinball_90"),
        "rmse",
        {"r2": 0.0},  # below, the mean of the labels is the better model
        "value",
    ),
}

MODELS = tuple(dict.fromkeys(name for each in RULES.values() for name in each.models))
"""The candidates of all tasks."""


def better(metric: str, ours: float, theirs: float) -> bool:
    """Whether `ours` is the better value of the two; NaN is better than nothing."""
    return ours > theirs if more_is_better(metric) else ours < theirs
