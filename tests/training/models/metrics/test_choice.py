"""The metric that is asked for chooses; where it has no value, that of the task does, and it is said."""

from typing import Any

from training.models.metrics.choice import choosing_metric, metric_of_parts, tell_choice


def test_one_candidate_without_a_value_is_enough_for_the_usual_metric() -> None:
    models: dict[str, dict[str, Any]] = {"a": {"r2": 0.5, "rmse": 1.0}, "b": {"r2": None, "rmse": 2.0}}
    assert choosing_metric("r2", "rmse", models) == "rmse"
    assert choosing_metric("r2", "rmse", {"a": models["a"]}) == "r2"


def test_parts_of_a_day_are_measured_by_what_they_can_tell() -> None:
    assert metric_of_parts("precision_at_5_per_day", "average_precision") == "average_precision"
    assert metric_of_parts("roc_auc", "average_precision") == "roc_auc"


def test_a_report_of_an_older_release_says_by_what_it_was_chosen() -> None:
    assert tell_choice({"chosen": "trees", "chosen_by": "roc_auc"}) == "trees was chosen by roc_auc"
