"""Each feature is encoded inside the graph as it was when the model was fitted, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from training.errors import TrainingError
from training.models.built_candidate import build_steps, try_export
from training.models.candidates import fit_model
from training.models.certificate import Certificate, certify
from training.models.columns import Columns
from training.models.encoders import Binned, OneHot, Ordinal, TargetMean, Winsorized
from training.models.encoding.encoded_columns import EncodedColumns, encoded_columns, used_encoders
from training.models.graph.batch_graph import keeps_bits
from training.models.graph.onnx_export import export_onnx
from training.models.parity.certificate_cases import build_cases
from training.models.predictions import predicted
from training.models.task_rules import RULES

NAMES = ("plan", "amount", "gift", "days")
"""As the view has them: a number stands between two categories."""
VALUES = {"plan": ("basic", "gold", "none", "plus"), "gift": (False, True)}
COLUMNS = Columns.of(NAMES, VALUES)
CHOSEN: dict[str, Any] = {
    "one-hot": {"plan": OneHot()},
    "ordinal": {"plan": Ordinal(("none", "basic", "plus", "gold")), "gift": Ordinal()},
    "target mean": {"plan": TargetMean(folds=3), "gift": TargetMean(smoothing=0)},
    "numbers": {"amount": Winsorized(0.05, 0.9), "days": Binned(7)},
    "all": {"plan": TargetMean(), "gift": OneHot(), "amount": Binned(4), "days": Winsorized()},
}

BEHIND = [
    *((name, "all") for name in RULES["binary"].models),
    *(("logistic_regression", chosen) for chosen in CHOSEN if chosen != "all"),
    ("hist_gradient_boosting", "ordinal"),
    ("random_forest", "numbers"),
]


def rows(count: int = 400) -> tuple[Any, Any]:
    random = np.random.default_rng(3)
    matrix = random.normal(size=(count, 4)).astype(np.float32)
    matrix[:, 0], matrix[:, 2] = random.integers(0, 4, count), random.integers(0, 2, count)
    matrix[:, 3] = np.rint(matrix[:, 3] * 4)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    return matrix, ((matrix[:, 0] == 2) ^ (random.random(count) < 0.05)).astype(float)


def labels(task: str, matrix: Any, label: Any) -> Any:
    if task == "binary":
        return label
    return label + (np.nan_to_num(matrix[:, 1]) > 0.5) if task == "multiclass" else label * 7 - 3


def certificate_of(pipeline: Any, matrix: Any, task: str = "binary", columns: Columns = COLUMNS) -> Certificate:
    spread = 3.0 if task == "regression" else None
    graph = export_onnx(pipeline, len(columns), task)
    return certify(pipeline, graph, matrix, 0, 0, spread=spread, task=task, categories=columns.sizes)


def test_what_has_no_encoder_comes_first_and_then_each_in_the_order_of_the_plan() -> None:
    matrix, _ = rows()
    step = Columns.of(NAMES, VALUES, {"plan": Ordinal(("none", "plus")), "days": Winsorized(0, 1)}).encoded()
    given = np.array([[3, 7, 1, -1e9], [0, 8, np.nan, 0], [np.nan, 9, 0, np.nan]], np.float32)
    lowest = np.nanmin(matrix[:, 3])
    np.testing.assert_array_equal(
        step.fit(matrix).transform(given), [[7, 1, 0, 1, lowest], [8, -1, 0, 0, 0], [9, -1, 1, 0, np.nan]]
    )
    assert used_encoders(make_pipeline(step), NAMES) == {
        "plan": "Ordinal(order=('none', 'plus'))",
        "gift": "OneHot()",
        "days": "Winsorized(low=0, high=1)",
    }


@pytest.mark.parametrize(("name", "chosen"), BEHIND)
def test_every_candidate_learns_behind_each_encoder_and_is_exported_as_it_was_fitted(name: str, chosen: str) -> None:
    matrix, label = rows()
    pipeline, _ = fit_model(name, matrix, label, 0, columns=Columns.of(NAMES, VALUES, CHOSEN[chosen]))
    found = certificate_of(pipeline, matrix)
    assert found.passed, found
    assert keeps_bits(export_onnx(pipeline, 4)) or name == "logistic_regression", "encoders let rows share a run"
    assert [found.kinds[f"value of column {at}"][0] for at in (0, 2)] == [5, 3]
    one, other = (predicted(pipeline, np.insert(matrix[:, 1:], 0, plan, axis=1)).mean() for plan in (2, 3))
    assert one > other + 0.3 or (name, chosen) == ("logistic_regression", "ordinal"), "no line tells one in the middle"


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_encoders_are_in_the_graph_of_every_task_and_several_classes_have_a_mean_each(task: str) -> None:
    matrix, label = rows()
    columns, wanted = Columns.of(NAMES, VALUES, CHOSEN["all"]), labels(task, matrix, label)
    pipeline, _ = fit_model("random_forest", matrix, wanted, 0, task, columns=columns)
    assert certificate_of(pipeline, matrix, task).passed
    (step,) = encoded_columns(pipeline)
    assert step.parts_[0].width == (3 if task == "multiclass" else 1)


def test_the_ends_of_ranges_are_tried_on_both_sides_and_a_bin_that_begins_one_float_later_is_found() -> None:
    matrix, label = rows()
    columns = Columns.of(NAMES, VALUES, {"amount": Binned(5), "days": Winsorized(0.1, 0.9)})
    forest = make_pipeline(SimpleImputer(), RandomForestClassifier(5, random_state=0))
    steps = [("encoders", columns.encoded()), ("forest", forest)]
    pipeline, _ = fit_model("build", matrix, label, 0, steps=steps)
    graph = export_onnx(pipeline, 4)
    tried = np.concatenate(list(build_cases(pipeline, graph, matrix, np.random.default_rng(0), columns.sizes).values()))
    binned, held = pipeline[0].parts_[2:]
    for column, part in ((1, binned), (3, held)):
        sides = (part.ends, *(np.nextafter(part.ends, np.float32(end)) for end in (np.inf, -np.inf)))
        assert set(np.concatenate(sides)) <= set(tried[:, column])
    assert certificate_of(pipeline, matrix).passed
    binned.ends[:] = np.nextafter(binned.ends, np.float32(np.inf))
    assert not certify(pipeline, graph, matrix, 0, 0, categories=columns.sizes).passed


def test_one_category_alone_with_one_value_and_rows_of_one_class_can_be_encoded() -> None:
    matrix = np.array([[0], [0], [np.nan], [0]], np.float32)
    for encoder, first in ((OneHot(), [1, 1, 0, 1]), (Ordinal(), [0, 0, -1, 0]), (TargetMean(), [1, 1, 1, 1])):
        columns = Columns.of(("plan",), {"plan": ("gold",)}, {"plan": encoder})
        step = columns.encoded().fit(matrix, np.ones(4, np.int8))
        assert step.transform(matrix)[:, 0].tolist() == first
        forest = RandomForestRegressor(3, random_state=0)
        pipeline, _ = fit_model(
            "one", matrix, np.arange(4.0), 0, "regression", [("e", columns.encoded()), ("f", forest)]
        )
        assert certificate_of(pipeline, matrix, "regression", columns).passed


def with_encoders(columns: Columns, seed: int) -> Any:
    assert (columns.numbers, len(columns)) == ((1, 3), 4)
    filled = make_pipeline(SimpleImputer(keep_empty_features=True), LogisticRegression(random_state=seed))
    return make_pipeline(columns.encoded(), filled)


def without_encoders(columns: Columns, seed: int) -> Any:
    return make_pipeline(columns.one_hot(), SimpleImputer(), LogisticRegression(random_state=seed))


def test_a_function_of_a_users_takes_the_step_from_its_columns() -> None:
    matrix, label = rows()
    columns = Columns.of(NAMES, VALUES, CHOSEN["all"])
    for build, given in ((with_encoders, columns), (without_encoders, COLUMNS)):
        steps = build_steps("build", build, given, 0, "binary")
        try_export("build", steps, matrix, label, "binary")
        pipeline, _ = fit_model("build", matrix, label, 0, steps=steps)
        assert certificate_of(pipeline, matrix).passed
    with pytest.raises(TrainingError, match=r"leaves out the encoders that its model names. Begin .* columns.encoded"):
        build_steps("build", without_encoders, columns, 0, "binary")


def test_a_value_that_only_later_rows_have_is_no_other_value_behind_the_range_of_the_fitted_ones() -> None:
    """The range seen in fitting is of numbers. A place behind it is another value, and the last one's neighbour."""
    matrix, label = rows()
    early = matrix[:, 0] != 3
    steps = build_steps("build", without_encoders, COLUMNS, 0, "binary")
    pipeline, _ = fit_model("build", matrix[early], label[early], 0, steps=steps)
    asked = np.array([[3, 0, 0, 0], [2, 0, 0, 0], [np.nan, 0, 0, 0]], np.float32)
    later, last, missing = pipeline.predict_proba(asked)[:, 1]
    assert later == missing != last


def test_labels_are_asked_for_where_they_are_needed() -> None:
    with pytest.raises(ValueError, match="fitted with labels"):
        EncodedColumns(Columns.of(NAMES, VALUES, {"plan": TargetMean()}).encoded().plan).fit(rows()[0])
