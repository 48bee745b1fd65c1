"""What is said of the model that answers: from what it learned, how good it was, and what it never saw."""

from dataclasses import replace

import pytest

from deploy.local.commands.status import model_lines
from deploy.local.respondent import answering_models, stream_lines, trained_on
from deploy.local.stack.stack_directory import StackDirectory
from shared_features.definitions import load_definitions
from shared_features.formats.dataset_rows import Division
from shared_features.kernel.event_time import DAY_US, HOUR_US
from streaming.operations.status.answer import ScoresStatus, SourceStatus, Status
from tests.shared_features.formats.test_dataset_manifest import DATASET
from tests.shared_features.formats.test_model_manifest import MANIFEST
from training.registry.aliases import Aliases
from training.registry.versions import Registry

LEARNED = "trained on 1,500 rows up to 2024-10-10T00:00:00Z, tested on 750 up to 2024-10-14T00:00:00Z"
METRICS = {
    "binary": {"roc_auc": 0.5461, "average_precision": 0.3124, "log_loss": 0.2, "curve": [1, 2]},
    "multiclass": {"log_loss": 0.91, "roc_auc_macro": 0.7, "accuracy": 0.4},
    "regression": {"rmse": 2.5, "r2": 0.25, "mae": 2.0},
}


def directory_with(tmp_path, metrics, task="binary"):
    directory = StackDirectory(tmp_path)
    Registry(directory.registry).publish(MANIFEST, b"graph", metrics, replace(DATASET, task=task))
    return directory


@pytest.mark.parametrize(
    ("task", "good"),
    [
        ("binary", "average_precision 0.312, roc_auc 0.546"),
        ("multiclass", "log_loss 0.910, roc_auc_macro 0.700"),
        ("regression", "rmse 2.500, r2 0.250"),
    ],
)
def test_status_says_how_good_the_model_that_answers_was_on_its_test_rows(tmp_path, task, good):
    """A first user saw that a model answers, and nowhere that it is little better than chance."""
    metrics = {"chosen": "random_forest", "models": {"random_forest": METRICS[task], "other": {"roc_auc": 1.0}}}
    directory = directory_with(tmp_path, metrics, task)
    models = {"card_fraud": 1, "none": None}
    trained = trained_on(directory, models)
    assert trained == {"card_fraud": f"{LEARNED}: {good}"}
    assert model_lines(models, trained)[0] == f"model of view card_fraud: version 1 answers, {LEARNED}: {good}"


def test_a_model_of_another_name_that_was_said_to_answer_is_told_of(tmp_path):
    """`status` said that the view has no model, while the endpoint answered by it."""
    directory = directory_with(tmp_path, {"note": "mine"})
    Aliases(Registry(directory.registry)).promote("card_fraud", 1)
    directory.environment_file.write_text("""export MILLRACE_ANSWERING_MODELS='{"breakdown": "card_fraud"}'\n""")
    models = answering_models(directory, load_definitions("tests.domains.machines"))
    assert models["breakdown"] == 1
    assert trained_on(directory, models)["breakdown"] == LEARNED


@pytest.mark.parametrize(
    ("division", "test_us", "said"),
    [
        (None, 0, "trained on 1,500 rows, tested on 750"),
        (Division("entity", "machine"), 4 * DAY_US, "trained on 1,500 rows, tested on 750"),
        (Division("stratified"), 4 * DAY_US, "trained on 1,500 rows, tested on 750"),
        (Division("column", "side"), 4 * DAY_US, "trained on 1,500 rows, tested on 750"),
        (Division("folds", folds=3), DATASET.split.test_us, LEARNED),
    ],
)
def test_the_end_of_what_it_learned_from_is_told_where_rows_are_divided_by_time(tmp_path, division, test_us, said):
    """Of rows that were divided by entity, it was an instant before the first of them."""
    directory, split = StackDirectory(tmp_path), DATASET.split
    if test_us != split.test_us:
        split = replace(split, train_us=-9 * HOUR_US, gap_us=9 * HOUR_US, test_us=test_us)
    dataset = replace(DATASET, is_range=True, division=division, split=split)
    Registry(directory.registry).publish(MANIFEST, b"graph", {"note": "mine"}, dataset)
    assert trained_on(directory, {"card_fraud": 1}) == {"card_fraud": said}


def test_the_metric_that_chose_the_candidate_is_named_first(tmp_path):
    metrics = {"chosen": "a", "chosen_by": "log_loss", "models": {"a": METRICS["binary"]}}
    trained = trained_on(directory_with(tmp_path, metrics), {"card_fraud": 1})
    assert trained["card_fraud"].endswith("Z: log_loss 0.200, roc_auc 0.546")


def test_a_version_that_was_published_without_such_metrics_is_told_without(tmp_path):
    assert trained_on(directory_with(tmp_path, {"note": "mine"}), {"card_fraud": 1}) == {"card_fraud": LEARNED}


def test_a_feature_without_a_value_in_the_rows_that_the_model_learned_from_is_warned_of(tmp_path):
    """It stood in a line of a log alone: the model ignores a feature that it never saw."""
    trained = trained_on(directory_with(tmp_path, {"without_value": ["spend__mean_30d", "risk"]}), {"card_fraud": 1})
    first, second = trained["card_fraud"].splitlines()
    assert first == LEARNED
    assert second.startswith("! without any value in the rows that the model learned from: spend__mean_30d, risk.")


@pytest.mark.parametrize(
    ("late", "counting", "said"),
    [
        (0, 0, "9 events; no lag"),
        (1, 1, "9 events, 1 came late (it counts); no lag"),
        (5, 5, "9 events, 5 came late (all count); no lag"),
        (5, 3, "9 events, 5 came late (3 count, 2 not: repeated, or older than every window); no lag"),
        (5, 1, "9 events, 5 came late (1 counts, 4 not: repeated, or older than every window); no lag"),
        (5, 0, "9 events, 5 came late (0 count, 5 not: repeated, or older than every window); no lag"),
        (5, None, "9 events, 5 came late (late events count, unless repeated or older than every window); no lag"),
    ],
)
def test_of_late_events_is_said_which_count(late, counting, said):
    """A file that was sent a second time was said to count: each of its events had come late, and was a duplicate."""
    source = SourceStatus("orders", "orders", events=9, late=late, late_counted=counting)
    assert stream_lines(Status(0, {}, [], [source], [])) == [f"source orders: {said}"]


@pytest.mark.parametrize(
    ("lag", "said"),
    [(None, "none yet; they begin with the first model"), (0, "no lag"), (1, "1 event without a score")],
)
def test_the_scores_of_a_view_are_a_line(lag, said):
    status = Status(at_us=0, away={}, waits=[], sources=[], groups=[], scores=[ScoresStatus("churn", "churners", lag)])
    assert stream_lines(status) == [f"scores of view churn, topic churners: {said}"]
