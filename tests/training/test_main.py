import pandas as pd
import pytest

from tests.domains.machines import BREAKDOWN
from training.__main__ import main

OPTIONS = ["--train-days", "6", "--delay-days", "1", "--test-days", "3"]


def test_a_dataset_alone_comes_out_as_a_table_for_pandas(places):
    assert main(["dataset", *OPTIONS, "--output", str(places / "rows.parquet")]) == 0
    frame = pd.read_parquet(places / "rows.parquet")
    assert set(frame["window"]) == {"train", "gap", "test"}
    about = ["reading", "plant", "machine", "as_of", "kafka_partition", "kafka_offset", "window", "label"]
    assert list(frame.columns) == [*about, *(column.name for column in BREAKDOWN.columns)]


def test_wrong_input_is_one_sentence(places, capsys, monkeypatch):
    assert main(["run", "--view", "nothing"]) == 1
    assert "no feature view 'nothing'" in capsys.readouterr().err
    assert main(["run", "--train-days", "500"]) == 1
    assert "Give smaller --train-days" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["run", "--cutoff", "2026-01-01T00:00:00"])
    assert "RFC 3339" in capsys.readouterr().err
    monkeypatch.setenv("MILLRACE_LOG_LEVEL", "loud")
    assert main(["models"]) == 1
    assert "MILLRACE_LOG_LEVEL" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["gap", "--lag", "-1"], "'-1': give a number of seconds, 0 or more"),
        (["dataset", "--lag", "nan"], "'nan': give a number of seconds, 0 or more"),
        (["predict", "--model", "m", "--spine", "f", "-o", "o", "--lag", "-0.5"], "'-0.5': give a number of seconds"),
        (["run", "--floor", "roc_auc=nan"], "'nan': give a number"),
        (["run", "--gate-tolerance", "nan"], "'nan': give a number"),
    ],
)
def test_numbers_that_cannot_be_meant_are_wrong_options(options, says, capsys):
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_the_check_of_models_tells_each_that_fails_and_not_the_first_alone(places, capsys, monkeypatch):
    (places / "failing_models.py").write_text(
        "from training.definitions import Model\n\n"
        "def raises(columns, seed):\n    raise ValueError('no such thing')\n\n"
        "def nothing(columns, seed):\n    return None\n\n"
        'A = Model("a", view="breakdown", candidates=(raises,))\n'
        'B = Model("b", view="breakdown", candidates=("logistic_regression",))\n'
        'C = Model("c", view="breakdown", candidates=(nothing,))\n'
    )
    monkeypatch.syspath_prepend(places)
    monkeypatch.setenv("MILLRACE_MODELS", "failing_models")
    assert main(["check"]) == 1
    said = capsys.readouterr()
    assert "model b of view breakdown:v1: its candidates can be built and exported" in said.out
    assert "model a: Candidate 'raises' cannot be built. Its function raised ValueError: no such thing." in said.err
    assert "model c: Candidate 'nothing' cannot be used." in said.err


def test_a_view_whose_function_cannot_work_is_refused_and_others_are_trained(places, capsys, monkeypatch):
    monkeypatch.setenv("MILLRACE_DEFINITIONS", "tests.domains.one_broken_view")
    assert main(["dataset", "--view", "overheating", *OPTIONS]) == 1
    said = capsys.readouterr().err
    assert "training: feature view overheating:v1: on-demand function 'is_hot' raises ValueError" in said
    assert "np.where" in said
    assert main(["dataset", "--view", "breakdown", *OPTIONS]) == 0


def test_the_features_of_a_spine_of_ones_own_come_out_as_a_table(places, capsys):
    spine, output = places / "spine.csv", places / "features.parquet"
    spine.write_text("plant,machine,as_of,celsius,customer\nplant|1,m1,2024-10-10T00:00:00Z,20.5,x\n")
    assert main(["dataset", "--spine", str(spine), "--output", str(output)]) == 0
    assert "1 row with 10 features of breakdown:v1, as-served" in capsys.readouterr().out
    frame = pd.read_parquet(output)
    assert frame["customer"].tolist() == ["x"]
    assert frame["hot_plant__count_2h"].tolist() > [0]
