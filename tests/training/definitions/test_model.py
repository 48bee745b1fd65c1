"""A wrong model is refused when its module is imported, with what to write."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from shared_features import days
from shared_features.errors import DefinitionError
from shared_features.formats.dataset_manifest import DatasetParameters
from tests.domains import machines, parcels
from training.definitions import Columns, Model, Split
from training.models.task_rules import MODELS


def ridge(columns: Columns, seed: int) -> Any:
    return LogisticRegression(random_state=seed)


def random_forest(columns: Columns, seed: int) -> Any:
    return LogisticRegression(random_state=seed)


def forest(rows: int) -> Any:
    return LogisticRegression()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"candidates": (LogisticRegression(),)}, r"candidates\[0\] is LogisticRegression\(\), which has no build; "
         r"write .* def my_candidate\(columns, seed\): return LogisticRegression\(\)"),
        ({"candidates": (LogisticRegression,)}, r"the class LogisticRegression, which has no build"),
        ({"candidates": (lambda columns, seed: None,)}, r"is a lambda; define it by `def`"),
        ({"candidates": ridge}, r"candidates is the function ridge; write candidates=\(ridge,\)"),
        ({"candidates": (forest,)}, r"let it begin as def forest\(columns, seed\):"),
        ({"candidates": (random_forest,)}, "called like the built-in candidate 'random_forest'; rename"),
        ({"candidates": (ridge, ridge)}, "candidate 'ridge' is given twice"),
        ({"candidates": ("random_forst",)}, "no built-in candidate of that name.* Did you mean 'random_forest'"),
        ({"candidates": ("linear_regression",)}, "asks for binary, and candidate linear_regression cannot learn it"),
        ({"threshold": 3}, "threshold is 3; give a score from 0 to 1"),
        ({"threshold": 0.5, "view": parcels.OUTCOME}, "asks for multiclass, and a threshold decides between two"),
        ({"metrics": ("f1",)}, "metrics names 'f1', which it does not have; write one of roc_auc"),
        ({"metrics": ("precision_at_0_per_day",)},
         "metrics names 'precision_at_0_per_day', .* K is a number from 1 on, as in precision_at_50_per_day"),
        ({"metrics": ("precision_at_K_per_day",)}, "one of .*, precision_at_K_per_day. K is a number from 1 on"),
        ({"floors": {"precision_at_5": 1}}, "floors names 'precision_at_5', which it does not have; .* K is a number"),
        ({"floors": {"precisoin_at_5_per_day": 1}}, "which it does not have; .* Did you mean 'precision_at_K_per_day'"),
        ({"floors": {"precision_at_5_per_day": 1}, "view": parcels.OUTCOME},
         "asks for multiclass, and floors names 'precision_at_5_per_day', which it does not have; write one of lo"),
        ({"entity": "plants"}, "entity names 'plants', which view breakdown:v1 does not have; .* machine, plant. Did"),
        ({"floors": {"roc_auc": 80}}, r"floors\['roc_auc'\] is 80, which no model reaches; give 1 or less"),
        ({"floors": {"brier_score": -0.2}}, r"floors\['brier_score'\] is -0.2, which no model reaches; give 0 or more"),
        ({"floors": {"precision_at_5_per_day": 30}}, "is 30, which no model reaches; give 1 or less"),
        ({"floors": {"rmse": 3}}, "floors names 'rmse', which it does not have"),
        ({"floor": {"rmse": 3}}, "there is no option 'floor'. Did you mean 'floors'"),
        ({"split": 7}, "split is 7"),
        ({"slices": ("celsus",)}, "slices names 'celsus', which view breakdown:v1 does not have; .* mean 'celsius'"),
        ({"floors": {"roc_auc": float("nan")}}, "the floor of roc_auc is nan; give a number"),
        ({"floors": {"roc_auc": "0.5"}}, "the floor of roc_auc is '0.5'; give a number"),
        ({"floors": {"roc_auc": True}}, "the floor of roc_auc is True; give a number"),
        ({"slice_gap": 0.2}, "slice_gap is 0.2; give more than 0, and the slices that it is about"),
        ({"promotion": "beter"}, "promotion is 'beter'"),
        ({"name": "../breaks"}, "a name has letters, digits"),
    ],
)  # fmt: skip
def test_a_wrong_model_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        Model(**{"name": "breaks", "view": machines.BREAKDOWN, **options})


@pytest.mark.parametrize("floor", [np.float64(0.5), np.float32(0.5), np.int64(0)])
def test_a_floor_that_was_computed_counts_as_the_number_that_it_is(floor: Any) -> None:
    """One of numpy was refused as no number."""
    floors = Model("breaks", machines.BREAKDOWN, floors={"roc_auc": floor}, threshold=floor).floors
    assert repr(floors) == repr({"roc_auc": floor.item()})
    with pytest.raises(DefinitionError, match="the floor of roc_auc is nan; give a number"):
        Model("breaks", machines.BREAKDOWN, floors={"roc_auc": cast(Any, np.float32("nan"))})


def test_without_candidates_it_has_those_of_its_task_and_functions_count_by_their_names() -> None:
    model = Model("breaks", machines.BREAKDOWN, candidates=("random_forest", ridge))
    assert (model.candidate_names, model.builds) == (("random_forest", "ridge"), {"ridge": ridge})
    assert Model("breaks", "breakdown").candidate_names == ()
    assert "ridge" not in MODELS


def test_a_run_has_the_entity_of_its_model_unless_it_says_another_one() -> None:
    model = Model("breaks", machines.BREAKDOWN, entity="plant", split=Split(test=days(3)))
    assert model.fill(DatasetParameters(seed=7)) == DatasetParameters(test_days=3, entity="plant", seed=7)
    assert model.fill(DatasetParameters(entity="machine")).entity == "machine"
    assert Model("breaks", machines.BREAKDOWN).fill(DatasetParameters()) == DatasetParameters()


def test_a_split_fills_what_a_run_does_not_say() -> None:
    split = Split(train=days(6), test=days(3))
    filled = split.fill(DatasetParameters(test_days=2))
    assert (filled.train_days, filled.delay_days, filled.test_days) == (6, None, 2)
    by_date = DatasetParameters(train_from_us=0, train_to_us=1)
    assert split.fill(by_date) == by_date
    with pytest.raises(DefinitionError, match=r"Split\(test=...\) is 0 days; give more than zero"):
        Split(test=days(0))
