"""The rules of a task: each metric has a better side, and a candidate or a floor of another task is refused."""

import math

import pytest

from training.errors import TrainingError
from training.models.metrics.precision_name import k_of, precision_at
from training.models.task_rules import BETTER_IS_MORE, MODELS, RULES, better, is_metric


@pytest.mark.parametrize("metric", BETTER_IS_MORE)
def test_one_value_is_better_than_the_other_and_none_is_better_than_itself_or_nan(metric: str) -> None:
    """A gate that compares the wrong way round promotes the worse model."""
    good, bad = (0.9, 0.1) if BETTER_IS_MORE[metric] else (0.1, 0.9)
    assert better(metric, good, bad)
    assert not better(metric, bad, good)
    assert not better(metric, good, good)
    assert not better(metric, math.nan, good)
    assert not better(metric, good, math.nan)


def test_less_of_an_error_is_better_and_more_of_a_score() -> None:
    assert {name for name, more in BETTER_IS_MORE.items() if not more} == {
        *("log_loss", "brier_score", "calibration_error", "rmse", "mae"),
        *("pinball_10", "pinball_50", "pinball_90"),
    }


@pytest.mark.parametrize("task", RULES)
def test_a_task_chooses_and_bounds_by_metrics_of_its_own(task: str) -> None:
    rules = RULES[task]
    assert rules.name == task
    assert {rules.chosen_by, *rules.floors} <= set(rules.metrics) <= BETTER_IS_MORE.keys()
    rules.check_models(rules.models)
    rules.check_floors(dict.fromkeys(rules.metrics, 0.5))
    strangers = tuple(set(MODELS) - set(rules.models))
    with pytest.raises(TrainingError, match=f"The label asks for {task}, and .* cannot learn it"):
        rules.check_models(strangers)
    with pytest.raises(TrainingError, match=f"A model of {task} has no metric"):
        rules.check_floors(dict.fromkeys(BETTER_IS_MORE.keys() - set(rules.metrics), 0.5))


def test_entity_precision_of_any_k_is_a_metric_of_two_outcomes() -> None:
    name = precision_at(50)
    assert (name, k_of(name), is_metric(name)) == ("precision_at_50_per_day", 50, True)
    assert better(name, 0.9, 0.1)
    assert not better(name, 0.1, 0.9)
    RULES["binary"].check_floors({name: 0.5})
    for task in ("multiclass", "regression"):
        with pytest.raises(TrainingError, match=f"A model of {task} has no metric precision_at_50_per_day"):
            RULES[task].check_floors({name: 0.5})


@pytest.mark.parametrize(
    ("floor", "says"),
    [
        ({"roc_auc": 80.0}, r"roc_auc=80, which no model reaches; give 1 or less"),
        ({"log_loss": -0.1}, r"log_loss=-0.1, which no model reaches; give 0 or more"),
        ({"precision_at_5_per_day": 30.0}, "give 1 or less"),
        ({"roc_auc": float("nan")}, "roc_auc=nan; give a number"),
    ],
)
def test_a_floor_that_no_model_can_reach_is_refused(floor: dict[str, float], says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        RULES["binary"].check_floors(floor)


@pytest.mark.parametrize("name", ["precision_at_0_per_day", "precision_at_K_per_day", "precision_at_5_per_week", "f1"])
def test_what_only_looks_like_entity_precision_is_no_metric(name: str) -> None:
    assert not is_metric(name)
    with pytest.raises(TrainingError, match=f"no metric {name}. Give a floor for .*, precision_at_K_per_day"):
        RULES["binary"].check_floors({name: 0.5})
