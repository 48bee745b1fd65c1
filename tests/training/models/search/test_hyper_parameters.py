import math
import sys
import time

import pytest

from training.errors import TrainingError
from training.models.search.hyper_parameters import search


def propose(trial):
    return {"x": trial.suggest_float("x", -3, 3), "kind": trial.suggest_categorical("kind", ["up", "down"])}


def bowl(values):
    """Least at x = 1, and with "down"; two folds."""
    found = (values["x"] - 1) ** 2 + (values["kind"] == "up")
    return [found, found + 0.5]


def score_of(trial):
    return trial.score


def test_the_best_trial_is_the_one_whose_mean_over_the_folds_is_best():
    found = search(propose, bowl, "rmse", seed=3, trials=25, seconds=None)
    assert [each.number for each in found.trials] == list(range(25))
    for each in found.trials:
        assert each.folds == bowl(each.values)
        assert each.score == sum(bowl(each.values)) / 2
    assert found.best == min(found.trials, key=score_of)
    assert score_of(found.best) < 0.5
    more = search(propose, bowl, "r2", seed=3, trials=10, seconds=None)
    assert more.best == max(more.trials, key=score_of), "of a metric of which more is better"


def test_equal_seeds_try_equal_values_and_another_seed_others():
    one, same, other = (search(propose, bowl, "rmse", seed, 12, None) for seed in (1, 1, 2))
    assert one == same
    assert [each.values for each in one.trials] != [each.values for each in other.trials]


def test_a_search_that_is_bounded_by_time_begins_no_trial_after_it():
    def slow(values):
        time.sleep(0.05)
        return bowl(values)

    found = search(propose, slow, "rmse", seed=0, trials=10_000, seconds=0.3)
    assert 1 <= len(found.trials) < 20


def test_a_trial_without_a_number_is_never_the_best_and_is_kept():
    def sometimes(values):
        return [math.nan, 1.0] if values["kind"] == "down" else bowl(values)

    found = search(propose, sometimes, "rmse", seed=1, trials=12, seconds=None)
    assert found.best.values["kind"] == "up"
    assert any(each.score is None and each.folds == [None, 1.0] for each in found.trials)
    with pytest.raises(TrainingError, match="No trial of the search has a rmse"):
        search(propose, lambda values: [math.nan], "rmse", seed=1, trials=3, seconds=None)


def test_each_trial_says_which_it_is_and_what_it_tries():
    told = []
    search(propose, bowl, "rmse", 0, 2, None, lambda says, part=0, of=0: told.append((says, part, of)))
    assert [each[1:] for each in told] == [(1, 2), (2, 2)]
    assert told[0][0].startswith("trying x=")


def test_without_optuna_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(TrainingError, match=r"Install the extra `millrace\[search\]`"):
        search(propose, bowl, "rmse", 0, 1, None)
