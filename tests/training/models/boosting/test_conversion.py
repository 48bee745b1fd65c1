"""What the three libraries fit says in a graph what it says itself. A long test: the libraries are installed for it."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.training.models.fitted_models import spread, train_labels, train_rows, window_rows
from training.errors import TrainingError
from training.inference.trees.compiled_graph import compile_graph, same_bits
from training.models.built_candidate import build_steps, try_export
from training.models.candidates import LABELS, fit_model
from training.models.certificate import certify
from training.models.columns import Columns
from training.models.graph.batch_graph import keeps_bits
from training.models.graph.model_constants import INPUT_NAME
from training.models.graph.onnx_export import export_onnx, open_session, run_session
from training.models.predictions import predicted
from training.models.task_rules import RULES

pytestmark = [pytest.mark.deep, pytest.mark.usefixtures("libraries")]
NAMES = ("cents", "count", "ratio", "sparse", "constant", "empty")


def boosted(library, kind, **options):
    """A candidate's function, for a Classifier or a Regressor of a library."""

    def build(columns, seed):
        module = __import__(library)
        prefix = {"xgboost": "XGB", "lightgbm": "LGBM", "catboost": "CatBoost"}[library]
        return getattr(module, prefix + kind)(n_estimators=30, random_state=seed, **options)

    return build


def fitted_by(build, task="binary", rows=None, label=None, columns=Columns(NAMES)):  # noqa: B008  # nobody changes it
    rows, label = (train_rows(), train_labels(task)) if rows is None else (rows, label)
    try_export("build", build_steps("build", build, columns, 0, task), rows, label.astype(LABELS[task]), task)
    return fit_model("build", rows, label, 0, task, build_steps("build", build, columns, 0, task))[0]


def certified(pipeline, task="binary", rows=None, columns=Columns(NAMES)):  # noqa: B008  # nobody changes it
    graph = export_onnx(pipeline, len(columns), task)
    rows = window_rows() if rows is None else rows
    found = certify(
        pipeline, graph, rows, 0, 0, spread=spread(task), task=task, categories=columns.sizes, names=columns.names
    )
    assert found.passed, found.smallest
    assert_compiled(graph, rows, task)
    return found, graph


def assert_compiled(graph, rows, task):
    """Batch prediction walks the trees itself, with the bits of ONNX Runtime."""
    session = open_session(graph)
    run = compile_graph(
        graph, INPUT_NAME, RULES[task].output_name, rows.shape[1], lambda given: run_session(session, given)
    )
    assert same_bits(run(rows), run_session(session, rows))


@pytest.mark.parametrize("task", LABELS)
@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "catboost"])
def test_a_graph_says_what_was_fitted_on_both_sides_of_every_split_and_where_values_are_missing(library, task):
    pipeline = fitted_by(boosted(library, "Regressor" if task == "regression" else "Classifier"), task)
    found, graph = certified(pipeline, task)
    assert found.parity.worst_difference < 1e-6
    assert found.kinds["beside a threshold"][0] > 1_000
    assert found.kinds["one feature missing"][0] == 300
    assert len(np.unique(predicted(pipeline, window_rows(), task))) > 20
    assert keeps_bits(graph), "rows may share a run"
    session, rows = open_session(graph), window_rows()[:101]
    one_by_one = np.concatenate([run_session(session, rows[[at]]) for at in range(len(rows))])
    assert one_by_one.tobytes() == run_session(session, rows).tobytes()


OTHERS = {
    "dropped trees": boosted("lightgbm", "Classifier", boosting_type="dart"),
    "dropped trees of XGBoost": boosted("xgboost", "Classifier", booster="dart", rate_drop=0.5),
    "a steeper sigmoid": boosted("lightgbm", "Classifier", sigmoid=2.5),
    "trees that are no mirror images": boosted("catboost", "Classifier", grow_policy="Lossguide", nan_mode="Max"),
    "several trees a round": boosted("xgboost", "Classifier", num_parallel_tree=3, subsample=0.5),
    "behind a scaler": lambda columns, seed: make_pipeline(
        StandardScaler(), boosted("lightgbm", "Classifier")(columns, seed)
    ),
    "calibrated": lambda columns, seed: CalibratedClassifierCV(boosted("xgboost", "Classifier")(columns, seed), cv=3),
    "that vote": lambda columns, seed: VotingClassifier(
        [(each, boosted(each, "Classifier")(columns, seed)) for each in ("xgboost", "lightgbm", "catboost")],
        voting="soft",
        flatten_transform=False,
    ),
}


@pytest.mark.filterwarnings("ignore:.*booster=dart. is deprecated")  # since XGBoost 3.4, which Python 3.11 lacks
@pytest.mark.parametrize("which", OTHERS)
def test_other_boosting_and_what_holds_some_is_exported_too(which):
    certified(fitted_by(OTHERS[which]))


@pytest.mark.parametrize(
    ("library", "objective"),
    [("xgboost", "count:poisson"), ("xgboost", "reg:gamma"), ("lightgbm", "poisson"), ("xgboost", "reg:absoluteerror"),
     ("lightgbm", "quantile"), ("catboost", "MAE")],
)  # fmt: skip
def test_a_regression_of_another_loss_gives_its_values(library, objective):
    certified(fitted_by(boosted(library, "Regressor", objective=objective), "regression"), "regression")


def of_categories():
    """A plan of 40 and a tier of 5 values, of which the label knows; a tenth of all values is missing."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(3_000, 4)).astype(np.float32)
    rows[:, 1], rows[:, 3] = random.integers(0, 40, 3_000), random.integers(0, 5, 3_000)
    effect = random.normal(size=40) * 2
    log_odds = effect[rows[:, 1].astype(int)] + rows[:, 0] + 3 * (rows[:, 3] == 2)
    label = (random.random(3_000) < 1 / (1 + np.exp(-log_odds))).astype(np.float64)
    rows[random.random(rows.shape) < 0.1] = np.nan
    return rows, label


NATIVE = {
    "xgboost": lambda columns, seed: boosted(
        "xgboost", "Classifier", enable_categorical=True,
        feature_types=["c" if name in columns.categories else "q" for name in columns.names],
    )(columns, seed),
    "lightgbm": lambda columns, seed: boosted(
        "lightgbm", "Classifier", cat_column=",".join(str(at) for at, _ in columns.sizes), min_data_per_group=10
    )(columns, seed),
}  # fmt: skip


@pytest.mark.parametrize("library", NATIVE)
def test_a_split_by_a_set_of_a_categorys_values_is_looked_up_in_the_graph(library):
    columns = Columns(("a", "plan", "b", "tier"), {"plan": 40, "tier": 5})
    rows, label = of_categories()
    pipeline = fitted_by(NATIVE[library], rows=rows[:2_000], label=label[:2_000], columns=columns)
    found, graph = certified(pipeline, rows=rows[2_000:], columns=columns)
    assert found.kinds["value of column 1"][0] == 41, "each value, and a missing one"
    assert b"table" in graph, "there are such splits"
    assert keeps_bits(graph)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (boosted("xgboost", "Classifier", booster="gblinear"), r"booster gblinear .* Leave out `booster`"),
        (boosted("xgboost", "Classifier", objective="binary:hinge"), "objective binary:hinge cannot be exported"),
        (boosted("lightgbm", "Classifier", linear_tree=True), "linear trees cannot be exported"),
        (boosted("lightgbm", "Classifier", zero_as_missing=True), "zero_as_missing cannot be exported"),
        (boosted("catboost", "Classifier", loss_function="Focal:focal_alpha=0.5;focal_gamma=1"), "loss function Focal"),
    ],
)
def test_what_a_graph_cannot_hold_is_refused_before_the_fit_and_names_the_step(build, says):
    def behind_a_scaler(columns, seed):
        return make_pipeline(StandardScaler(), build(columns, seed))

    with pytest.raises(TrainingError, match=rf"so it was not fitted\. Operator \w+Classifier in step '\w+': .*{says}"):
        fitted_by(behind_a_scaler)


def test_categories_of_catboost_are_refused_with_what_to_write_instead(libraries):
    with pytest.raises(
        TrainingError, match=r"tells CatBoost of cat_features, .* begin its pipeline with columns\.encoded"
    ):
        fitted_by(boosted("catboost", "Classifier", cat_features=[1]))
