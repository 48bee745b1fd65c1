"""Models of a view count as slow after two runs that took much longer than measured, and not after one."""

import pytest

from serving.errors import SlowModelError
from serving.models.model import Model
from serving.prediction.model_scores import ModelScores

QUICK = Model("breakdown", 1, "rows", "scores", session=None, row_s=1e-4)


@pytest.fixture
def clock_s(monkeypatch):
    """The time, as a list of one number that a test sets."""
    now_s = [1000.0]
    monkeypatch.setattr("serving.prediction.model_scores.time.monotonic", lambda: now_s[0])
    return now_s


@pytest.mark.parametrize(("apart_s", "slow"), [(9.9, True), (10.0, False)])
def test_two_late_runs_within_ten_seconds_are_the_models_and_one_may_be_the_machines(clock_s, apart_s, slow):
    told = []
    scores = ModelScores(lambda event, error, **facts: told.append(facts))
    scores.took_longer(QUICK, SlowModelError("late"))
    assert not scores.is_slow(QUICK, 1)
    clock_s[0] += apart_s
    scores.took_longer(QUICK, SlowModelError("late"))
    assert scores.is_slow(QUICK, 1) is slow
    assert told == [{"model": "breakdown", "version": 1}] * 2
    clock_s[0] += 10.0
    assert not scores.is_slow(QUICK, 1)


def test_a_model_that_was_measured_to_be_slow_is_slow_at_once(clock_s):
    scores = ModelScores(lambda event, error, **facts: None)
    assert (scores.is_slow(QUICK, 50), scores.is_slow(QUICK, 51)) == (False, True)
