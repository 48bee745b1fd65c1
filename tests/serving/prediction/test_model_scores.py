"""Models of a view count as slow after two runs that took much longer than measured, and not after one."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from serving.errors import SlowModelError
from serving.models.model import Model, load_model
from serving.prediction.model_scores import ModelScores
from tests.domains.machines import BREAKDOWN
from tests.serving.published_models import boosted, publish

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


@pytest.mark.parametrize("walks", [True, False], ids=["a walk of trees", "a graph"])
def test_scores_that_are_there_after_their_deadline_are_none(tmp_path: Path, monkeypatch, walks):
    """Their client was refused meanwhile, and they went into the prediction log and to the shadow all the same."""
    publish(tmp_path, BREAKDOWN, graph=boosted(len(BREAKDOWN.columns)), rows_share_runs=walks)
    model = load_model(tmp_path / "breakdown" / "1", BREAKDOWN)
    assert (model.trees is not None) is walks
    scores, rows = ModelScores(lambda event, error, **facts: None), np.zeros((1, len(BREAKDOWN.columns)), np.float32)
    options = onnxruntime.RunOptions()
    assert scores.of(model, rows, options) == scores.of(model, rows, None) == model.score(rows)
    score = Model.score

    def late(model, matrix, options):
        found = score(model, matrix, options)
        options.terminate = True
        return found

    monkeypatch.setattr(Model, "score", late)
    refused = scores.of(model, rows, options)
    assert isinstance(refused, SlowModelError)
    assert refused.detail == "Model breakdown 1 takes too long for this request. Send fewer instances."
