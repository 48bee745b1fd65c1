"""The guide's cells, run as a notebook runs them, and what else a project answers."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tests.docs.pages import page
from tests.domains.machines import BREAKDOWN
from tests.training.notebook.notebook import Notebook, shown
from training import Project
from training.__main__ import main
from training.errors import DatasetError, TrainingError

CELLS = [each.code for each in page("docs/how-to/notebook.md").blocks() if each.language == "python"]
OPTIONS = ["--train-days", "6", "--delay-days", "1", "--test-days", "3", "--models", "logistic_regression"]


@pytest.fixture(scope="module")
def home(machine_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of a model of the machines."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        _settings(patch, machine_lake, folder)
        assert main(["run", *OPTIONS]) == 0
        assert main(["run", *OPTIONS, "--seed", "5", "--train-days", "5"]) == 0
    return folder


@pytest.fixture
def project(home: Path, machine_lake: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    _settings(monkeypatch, machine_lake, home)
    return Project()


def _settings(patch: pytest.MonkeyPatch, lake: Path, home: Path) -> None:
    patch.setenv("MILLRACE_DEFINITIONS", "tests.domains.machines")
    patch.setenv("MILLRACE_LAKE", str(lake))
    patch.setenv("MILLRACE_REGISTRY", str(home / "registry"))
    patch.setenv("MILLRACE_TRAINING_RUNS", str(home / "runs"))


def test_the_cells_of_the_guide_run_one_after_another_and_show_what_they_say(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = Notebook()
    values = [notebook.run(cell) for cell in CELLS]
    whole, views, dataset, _, mine, heat, scores, compared = values
    assert "tests.domains.machines" in shown(whole)[0]
    assert "<table>" in shown(whole)[1]
    assert views["view"].to_list() == ["breakdown"]
    text, html = shown(dataset)
    assert "window: train 1," in text.replace("  ", " ")
    assert "machine_heat__celsius_mean_1h" in html
    assert "<svg" in html
    assert "fold_3: train" in capsys.readouterr().out
    assert isinstance(mine, pl.DataFrame)
    assert len(mine.columns) == 4 + len([each for each in BREAKDOWN.columns if each.name != "celsius"])
    assert isinstance(heat, pd.DataFrame)
    assert {"machine_heat__celsius_mean_1h", "machine_heat__firmware_last_1d"} <= set(heat.columns)
    assert isinstance(scores, pd.DataFrame)
    assert scores["score"].between(0, 1).all()
    assert {"version 1", "version 2", "difference"} <= set(compared.columns)
    assert "roc_auc" in compared["fact"].to_list()


def test_features_of_a_group_are_those_of_a_view_that_reads_it(project: Project) -> None:
    keys = pl.DataFrame({"plant": [f"plant|{n % 3}" for n in range(20)], "machine": [f"m{n}" for n in range(20)]})
    at = datetime(2024, 10, 12, 7, tzinfo=UTC)
    rows = keys.with_columns(pl.lit(at).alias("as_of"))
    whole = project.dataset("breakdown", spine=rows.with_columns(celsius=1.0)).data
    for table in (project.features("machine_heat", keys, at), project.features("machine_heat:v3", rows)):
        name = "machine_heat__celsius_mean_1h"
        np.testing.assert_array_equal(table[name].to_numpy(), whole[name].to_numpy())
    assert isinstance(project.features("hot_plant", keys.to_arrow(), at), pa.Table)


def test_a_refusal_of_features_of_a_group_names_the_group_and_no_view(project: Project) -> None:
    """Nobody asked for a view: it named one that the definitions do not have."""
    keys = pl.DataFrame({"plant": ["plant|0"], "machine": ["m0"]})
    with pytest.raises(DatasetError) as lacking:
        project.features("machine_heat", keys.drop("machine"), "2024-10-12T07:00:00Z")
    assert str(lacking.value) == (
        "The spine lacks 1 column: machine. Features of group machine_heat:v3 need as_of, plant, machine. The spine "
        "has plant, as_of."
    )
    name = "machine_heat__celsius_mean_1h"
    with pytest.raises(DatasetError, match=rf"names of features: {name}\. The features of group machine_heat:v3 would"):
        project.features("machine_heat", keys.with_columns(pl.lit(1.0).alias(name)), "2024-10-12T07:00:00Z")


def test_a_model_says_the_same_of_features_and_of_the_rows_they_come_from(project: Project) -> None:
    rows = project.dataset("breakdown", start="2024-10-14")
    model = project.model()
    of_features = model.predict(rows.data)
    request = rows.data.select("plant", "machine", "as_of", "celsius", "humidity").with_columns(
        pl.col("celsius").round(1), pl.col("humidity").cast(pl.Float64).fill_nan(None).round(3)
    )
    of_rows = model.predict(request)
    assert of_features["score"].null_count() == 0
    assert len(of_features) == len(of_rows) == len(rows)
    known = ~rows.data["is_new_firmware"].is_nan()  # the request says no firmware
    same = (of_features["score"] == of_rows["score"]) | known
    assert same.all()
    assert model.version == 2
    assert "roc_auc" in repr(model)
    assert "roc_auc" in model._repr_html_()


def test_runs_and_models_are_tables(project: Project) -> None:
    runs = project.runs()
    assert runs["status"].to_list() == ["succeeded", "succeeded"]
    assert runs["began"].is_sorted(descending=True)
    models = project.models()
    assert models["version"].to_list() == [1, 2]
    assert project.registry.versions("breakdown") == [1, 2]
    nothing = Project(training_runs="nowhere", registry="nowhere")
    assert len(nothing.runs()) == len(nothing.models()) == 0
    assert "no model yet" in repr(nothing)


def test_a_dataset_is_written_opened_and_built_again(project: Project, tmp_path: Path) -> None:
    dataset = project.dataset(train_days=6, delay_days=1, test_days=3, cutoff="2024-10-15")
    dataset.write(str(tmp_path / "d"))
    assert project.open(tmp_path / "d").manifest == dataset.manifest
    assert project.rebuild(str(tmp_path / "d")).data.equals(dataset.data, null_equal=True)


def test_a_dataset_without_windows_has_those_of_the_view_s_model(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had those of a run without a model, so it was not the dataset of a training run."""
    (tmp_path / "models_of_windows.py").write_text(
        "from shared_features import days\nfrom training.definitions import Model, Split\n\n"
        'ONE = Model("one", view="breakdown", split=Split(train=days(4), gap=days(1), test=days(2)))\n'
        'TWO = Model("two", view="breakdown")\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    asking = Project(models="models_of_windows", lake=project.settings.lake)
    windows = asking.dataset(model="one").manifest.parameters
    assert (windows.train_days, windows.delay_days, windows.test_days) == (4, 1, 2)
    assert asking.dataset(model="one", test_days=3).manifest.parameters.test_days == 3
    with pytest.raises(TrainingError, match=r"has the models one, two.*model='NAME' in Python"):
        asking.dataset()


SPINE = {"plant": ["plant|1"], "machine": ["m1"], "as_of": ["2024-10-10T00:00:00Z"], "celsius": [20.5]}


def test_a_dataset_is_a_table_too(project: Project) -> None:
    """`predict(dataset)` was refused, and named no way to its rows."""
    dataset, model = project.dataset("breakdown", start="2024-10-14"), project.model()
    assert model.predict(dataset).equals(model.predict(dataset.data), null_equal=True)


@pytest.mark.parametrize("of", ["dataset", "features", "predict"])
def test_keys_in_the_index_of_pandas_are_told(project: Project, of: str) -> None:
    """The spine was said to lack them, and shows them."""
    table = pd.DataFrame(SPINE).set_index(["plant", "machine"])
    ask = {
        "dataset": lambda: project.dataset("breakdown", spine=table),
        "features": lambda: project.features("hot_plant", table),
        "predict": lambda: project.model().predict(table),
    }[of]
    with pytest.raises(TrainingError, match=r"has plant.* in its index, .* Give table\.reset_index\(\)"):
        ask()


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (
            lambda project: project.dataset(spine=SPINE, lag=float("nan")),
            r"The lag is nan\. .* Give seconds, 0 or more",
        ),
        (lambda project: project.dataset(spine=SPINE, lag=-1), r"The lag is -1\. .* Give seconds, 0 or more"),
        (lambda project: project.dataset(spine=SPINE, lag=float("inf")), r"The lag is inf\. .* Give seconds"),
        (lambda project: project.dataset(spine=SPINE, lag="5 s"), r"The lag is '5 s'\. .* Give seconds"),
        (lambda project: project.dataset(spine=SPINE, split="column:side"), "no column 'side' to divide them by"),
        (lambda project: project.dataset(spine=SPINE, with_labels=True), "lacks reading, on which labels"),
        (lambda project: Project(lakes="x"), r"no setting 'lakes'\. Did you mean 'lake'"),
        (lambda project: project.dataset("breakdown", test_day=3), r"no option 'test_day'\. Did you mean 'test_days'"),
        (lambda project: project.dataset(cutoff="soon"), "cutoff is 'soon', which is not a time"),
        (lambda project: project.dataset(spine=7), "Something of type int was given"),
        (lambda project: project.features("machine_heats", {}), r"group 'machine_heats'\. Did you mean 'machine_heat'"),
        (lambda project: project.features("hot_plant", {"plant": ["a"], "as_of": [1]}, 1), "as_of is 1, which is not"),
        (lambda project: Project(registry="nowhere").model(), "The registry has 0 models. They are none"),
    ],
)
def test_what_cannot_be_meant_says_what_to_write(project: Project, ask: Any, sentence: str) -> None:
    with pytest.raises(TrainingError, match=sentence):
        ask(project)


def test_importing_training_loads_nothing_before_project_is_used() -> None:
    code = "import sys, training; print('Project' in dir(training), *({'polars', 'numba'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
