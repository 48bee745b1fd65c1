"""Categories are columns of their own inside the graph, as they were when the model was fitted."""

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from training.models.built_candidate import build_steps, try_export
from training.models.candidates import fit_model
from training.models.certificate import certify
from training.models.columns import Columns
from training.models.graph.onnx_export import export_onnx
from training.models.one_hot import OneHotCategories
from training.models.task_rules import RULES

COLUMNS = Columns(("plan", "amount", "gift"), {"plan": 4, "gift": 2})
"""As the view has them: a number stands between two categories."""


def rows(count=300):
    random = np.random.default_rng(3)
    matrix = random.normal(size=(count, 3)).astype(np.float32)
    matrix[:, 0], matrix[:, 2] = random.integers(0, 4, count), random.integers(0, 2, count)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    return matrix, ((matrix[:, 0] == 2) ^ (random.random(count) < 0.05)).astype(float)


def test_each_value_has_a_column_and_a_value_that_was_not_seen_has_none():
    step = OneHotCategories(COLUMNS.sizes).fit(rows()[0])
    given = np.array([[2, 7, 1], [np.nan, 7, 0]], np.float32)
    np.testing.assert_array_equal(step.transform(given), [[7, 0, 0, 1, 0, 0, 1], [7, 0, 0, 0, 0, 1, 0]])


@pytest.mark.parametrize("name", RULES["binary"].models)
def test_every_candidate_learns_from_a_category_and_is_exported_as_it_was_fitted(name):
    matrix, label = rows()
    pipeline, _ = fit_model(name, matrix, label, 0, categories=COLUMNS.sizes)
    found = certify(pipeline, export_onnx(pipeline, 3), matrix, 0, 0, categories=COLUMNS.sizes)
    assert found.passed, found
    assert [found.kinds[f"value of column {at}"][0] for at in (0, 2)] == [5, 3]
    one, other = (pipeline.predict_proba(np.array([[plan, 0, 0]], np.float32))[0, 1] for plan in (2, 3))
    assert one > 0.5 > other


def test_a_function_of_a_users_takes_the_step_from_its_columns():
    def build(columns, seed):
        assert (columns.numbers, len(columns)) == ((1,), 3)
        return make_pipeline(columns.one_hot(), SimpleImputer(), LogisticRegression(random_state=seed))

    matrix, label = rows()
    steps = build_steps("build", build, COLUMNS, 0, "binary")
    try_export("build", steps, matrix, label, "binary")
    pipeline, _ = fit_model("build", matrix, label, 0, steps=steps)
    assert certify(pipeline, export_onnx(pipeline, 3), matrix, 0, 0, categories=COLUMNS.sizes).passed
