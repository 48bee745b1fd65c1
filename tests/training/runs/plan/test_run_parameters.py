"""The parameters of a run: what it says itself wins over its model's definition."""

from shared_features.formats.dataset_manifest import DatasetParameters
from tests.domains import machines
from training.definitions import Model
from training.runs.plan.run_parameters import RunParameters

MODEL = Model(
    "breaks",
    machines.BREAKDOWN,
    metrics=("precision_at_60_per_day", "roc_auc"),
    floors={"precision_at_40_per_day": 0.1},
    entity="plant",
)


def test_a_run_counts_each_k_that_is_named_once() -> None:
    found = RunParameters(machines.BREAKDOWN, k=60, floors={"precision_at_7_per_day": 0.0}, model=MODEL)
    assert (found.ks, found.named_ks) == ((60, 7, 40), (7, 40, 60))
    assert RunParameters(machines.BREAKDOWN).ks == (100,)


def test_entity_precision_chooses_and_folds_go_by_the_metric_of_the_task() -> None:
    found = RunParameters(machines.BREAKDOWN, model=MODEL)
    assert (found.chosen_by, found.searched_by) == ("precision_at_60_per_day", "average_precision")


def test_the_entity_is_that_of_the_model_unless_the_run_says_another_one() -> None:
    assert RunParameters(machines.BREAKDOWN, model=MODEL).dataset.entity == "plant"
    asked = DatasetParameters(entity="machine")
    assert RunParameters(machines.BREAKDOWN, asked, model=MODEL).dataset.entity == "machine"
