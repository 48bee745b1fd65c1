"""Requests that are answered together share a run of their model, and each score has the bits that it has alone."""

import asyncio
import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from serving.models.model import Model, load_model, open_session
from serving.models.run_guard import RunGuard
from serving.prediction.model_scores import ModelScores
from serving.prediction.shared_run import shared_runs
from tests.domains.machines import BREAKDOWN
from tests.serving.asking import PATH
from tests.serving.conftest import INSTANCE
from tests.serving.published_models import boosted, logarithm, publish
from tests.training.models.fitted_models import fitted, train_rows, window_rows
from training.models.graph.batch_graph import keeps_bits
from training.models.graph.model_constants import INPUT_NAME
from training.models.graph.onnx_export import export_onnx
from training.models.task_rules import RULES


def scores_of():
    return ModelScores(lambda event, error, **facts: pytest.fail(event))


@cache
def forest(task="binary"):
    graph = export_onnx(fitted("random_forest", task), train_rows().shape[1], task)
    assert keeps_bits(graph)
    return Model("m", 1, INPUT_NAME, RULES[task].output_name, open_session(graph), task, row_s=1e-6)


@pytest.mark.parametrize("task", RULES)
def test_rows_of_one_run_have_the_bits_of_their_own_runs(task):
    alone, matrix = forest(task), np.array(window_rows()[:77])
    matrix[3:9, 0] = np.nan
    together = replace(alone, shares_runs=True)
    shared = shared_runs([together] * 3, [70, 2, 5], matrix, None, scores_of(), RunGuard())
    scores = [each for run in shared if run is not None for each in run.scores]
    assert scores == alone.score(matrix) == together.score(matrix)
    assert all(run is not None and np.shares_memory(run.seen, matrix) for run in shared)


def test_requests_of_two_models_share_a_run_of_each():
    one = replace(forest(), shares_runs=True)
    other = replace(one, version=2)
    rows, matrix = [1, 2, 3, 1, 2], window_rows()[:9]
    shared = shared_runs([one, other, one, forest(), other], rows, matrix, None, scores_of(), RunGuard())
    assert [run is None for run in shared] == [False, False, False, True, False]
    start = 0
    for run, count in zip(shared, rows, strict=True):
        if run is not None:
            assert run.seen.tobytes() == matrix[start : start + count].tobytes()
            assert run.scores == forest().score(matrix[start : start + count])
        start += count


def test_requests_share_a_walk_that_nothing_could_end_and_no_guard_is_told(tmp_path):
    publish(tmp_path, BREAKDOWN, graph=boosted(len(BREAKDOWN.columns)), rows_share_runs=True)
    model, guard = load_model(tmp_path / "breakdown" / "1", BREAKDOWN), RunGuard()
    assert model.trees is not None
    rows = np.ones((5, len(BREAKDOWN.columns)), np.float32)
    for each, runs in ((model, 0), (replace(model, trees=None), 1)):
        assert all(shared_runs([each] * 2, [3, 2], rows, None, scores_of(), guard))
        assert guard.run == runs


def test_one_request_of_a_model_and_a_slow_model_are_scored_by_themselves():
    one, two = replace(forest(), shares_runs=True), replace(forest(), shares_runs=True, version=2)
    for models in ([one, two], [one, None], [one], [forest(), forest()], [replace(one, row_s=1.0)] * 2):
        matrix = window_rows()[: len(models)]
        assert not any(shared_runs(models, [1] * len(models), matrix, None, scores_of(), RunGuard()))


def test_a_run_in_which_a_score_is_no_number_is_given_up_without_a_word():
    graph = logarithm()
    model = Model("m", 1, INPUT_NAME, "score", open_session(graph), row_s=1e-6, shares_runs=True)
    width = model.session.get_inputs()[0].shape[1] or 3
    rows = np.ones((2, width if isinstance(width, int) else 3), np.float32)
    assert all(shared_runs([model] * 2, [1, 1], rows, None, scores_of(), RunGuard()))
    rows[1] = -1.0
    assert not any(shared_runs([model] * 2, [1, 1], rows, None, scores_of(), RunGuard()))


def test_the_endpoint_answers_requests_that_came_together_as_each_alone(serving, tmp_path, monkeypatch):
    """Also where one of them is refused, since its score is no number."""
    publish(tmp_path, BREAKDOWN, graph=logarithm(), rows_share_runs=True)
    runs, score = [], Model.score

    def counted(model, matrix, options=None):
        runs.append(len(matrix))
        return score(model, matrix, options)

    async def requests(bodies):
        async with serving(registry=tmp_path) as client:
            alone = [await client.post(PATH, json=each) for each in bodies]
            monkeypatch.setattr(Model, "score", counted)
            return alone, await asyncio.gather(*(client.post(PATH, json=each) for each in bodies))

    def answered(celsius):
        return {"instances": [INSTANCE | {"celsius": each} for each in celsius], "as_of": "2026-03-01T12:00:00Z"}

    def told(answers):
        return [(each.status_code, each.json().get("predictions", each.json().get("detail"))) for each in answers]

    good = [answered([40.0 + number, 50.0]) for number in range(5)]
    alone, together = asyncio.run(requests(good))
    assert told(together) == told(alone)
    assert {each.status_code for each in alone} == {200}
    assert max(runs) > 2  # rows of several requests
    monkeypatch.undo()
    alone, together = asyncio.run(requests([*good, answered([-5.0])]))
    assert told(together) == told(alone)
    assert [each.status_code for each in alone] == [200] * 5 + [alone[-1].status_code]
    assert alone[-1].status_code >= 400
    assert all(math.isfinite(each["score"]) for each in together[0].json()["predictions"])
