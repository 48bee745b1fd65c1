"""A model is a definition: what is wrong with it is said when it is loaded, and a run does what it says."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from serving.models.model import load_model
from shared_features.errors import DefinitionError
from tests.boosting_libraries import boosting_libraries
from tests.docs.pages import page
from tests.domains.machines import BREAKDOWN
from tests.training.pipelines.project import write_project
from training.__main__ import main
from training.datasets.training_dataset import load_dataset
from training.errors import DatasetError
from training.models.graph.onnx_export import open_session, run_session
from training.models.predictions import predicted
from training.registry.versions import Registry
from training.runs.plan.run_model import choose_model, defined_models
from training.runs.plan.run_parameters import RunParameters
from training.runs.records.run_archive import archived_files
from training.runs.records.run_folder import load_pickle, model_file
from training.runs.records.run_report import read_report
from training.runs.step_requests import answer
from training.runs.training_run import run_training
from training.settings import load_settings
from training.steps.run_journal import read_journal

_BLOCKS = {each.title: each for each in page("docs/how-to/own-models.md").blocks() if each.language == "python"}
MODELS = _BLOCKS["models.py"].code.replace("STRENGTH = 0.5", "from {name}.strength import STRENGTH")
"""The module of the guide, with its constant in a module of its own."""
ALONE = MODELS.replace(', "random_forest"', ",")
EXPECTING = ALONE.replace("import days", "import Expect, Rows, days").replace(
    "    threshold=0.3,\n",
    '    threshold=0.3,\n    expectations=(Rows(at_least=5), Expect("celsius", high=-300, warn=True)),\n',
)


def project(places: Path, monkeypatch: pytest.MonkeyPatch, name: str, models: str = ALONE) -> Path:
    package = write_project(places, monkeypatch, name, "")
    (package / "strength.py").write_text("STRENGTH = 0.5\n")
    (package / "models.py").write_text(models.replace("{name}", name))
    return package


def test_a_model_of_a_module_is_trained_published_under_its_name_and_its_helpers_count(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = project(places, monkeypatch, "own_models", EXPECTING)
    assert main(["check"]) == 0
    assert "model breaks of view breakdown:v1: its candidates can be built and exported" in capsys.readouterr().out
    assert main(["models"]) == 0
    assert (
        "breaks is defined: no version yet, view breakdown:v1, small_weights, owner Plant 3" in capsys.readouterr().out
    )
    assert main(["run"]) == 0
    said = capsys.readouterr().out
    assert "small_weights: roc_auc 0." in said
    assert "version 1 is champion" in said
    assert "floors reached (average_precision >= 0.05, roc_auc >= 0.5)" in said
    registry = Registry(places / "registry")
    assert (registry.models(), registry.manifest("breaks", 1).estimator) == (["breaks"], "small_weights")
    metrics = json.loads((Path(registry.where("breaks", 1)) / "metrics.json").read_bytes())
    assert (metrics["chosen_by"], list(metrics["models"])) == ("roc_auc", ["small_weights"])
    assert (
        registry.manifest("breaks", 1).threshold == metrics["models"]["small_weights"]["decisions"]["threshold"] == 0.3
    )
    model = load_model(Path(registry.where("breaks", 1)), BREAKDOWN)
    assert (model.name, model.threshold) == ("breaks", 0.3)
    assert "1 of 2 expectations met; warning, not met: celsius to -300: " in said
    card = (Path(registry.where("breaks", 1)) / "card.md").read_text()
    assert "| celsius to -300 | no: a warning |" in card
    assert "| at least 5 rows | yes |" in card
    run = max((places / "runs" / "breakdown").iterdir())
    data = read_report(run).data
    assert data["expectations met"] == "1 of 2"
    assert data["expectations not met"][0].startswith("celsius to -300: ")
    rows = json.loads((run / "validate" / "failing_rows.json").read_bytes())["celsius to -300"]
    assert len(rows) == 10
    assert "validate/failing_rows.json" not in archived_files(run, data=False)
    assert "validate/failing_rows.json" in archived_files(run, data=True)

    assert main(["run", "--model", "breaks", "--explain"]) == 0
    assert "fit       skipped" in capsys.readouterr().out
    (package / "strength.py").write_text("STRENGTH = 0.25\n")
    from training.steps import code_digest

    for each in (code_digest._bindings, code_digest._definition):  # as another process reads it
        each.cache_clear()
    assert main(["run", "--model", "breaks", "--explain"]) == 0
    assert "fit       run      models changed from" in capsys.readouterr().out
    asked = {"do": "begin", "name": "durable", "template": "retrain", "parameters": {"model": "breaks"}}
    begun = Path(answer(load_settings(), asked)["result"])
    assert read_journal(begun).asked["models"] == ["small_weights"]
    wrong = answer(load_settings(), {**asked, "parameters": {"model": "break"}})
    assert "There is no model 'break'. There are: breaks. Did you mean 'breaks'?" in wrong["error"]
    assert main(["run", "--models", "random_forest"]) == 1
    assert "The model has no candidate random_forest. Give some of small_weights." in capsys.readouterr().err


def test_a_run_ends_before_the_fit_where_the_dataset_is_not_as_expected(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide's example, as it is and with a bound that the data break."""
    package, code = project(places, monkeypatch, "expected"), _BLOCKS["expected.py"].code
    said: list[str] = []

    def validate() -> None:
        settings = load_settings()
        view, model = choose_model(settings)
        run_training(
            settings, RunParameters(view, model=model), lambda _, entry: said.append(entry.line), 0, "validate"
        )

    (package / "models.py").write_text(code)
    validate()
    assert "of 7 expectations met" in said[-1]
    (package / "models.py").write_text(code.replace("low=-40, high=400", "low=-500, high=-300"))
    del sys.modules["expected.models"]
    with pytest.raises(
        DatasetError, match=r"Not met: celsius from -500 to -300: .* rows are outside, such as .*offset"
    ):
        validate()


def test_what_cannot_be_exported_says_so_before_it_is_fitted(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ALONE.replace("LogisticRegression(C=STRENGTH, random_state=seed)", "Odd()").replace(
        "def small_weights", "class Odd(LogisticRegression):\n    pass\n\n\ndef small_weights"
    )
    project(places, monkeypatch, "odd_models", other)
    assert main(["check"]) == 1
    said = capsys.readouterr().err
    assert (
        "Candidate 'small_weights' cannot be exported as ONNX, so it was not fitted. Operator Odd in step 'odd':"
        in said
    )
    assert main(["run"]) == 1
    assert "Operator Odd" in capsys.readouterr().err


def test_a_candidate_that_takes_no_missing_values_says_what_to_write(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project(places, monkeypatch, "bare_models", ALONE.replace("SimpleImputer(keep_empty_features=True),", ""))
    assert main(["run"]) == 1
    assert "Begin the pipeline with SimpleImputer(keep_empty_features=True)." in capsys.readouterr().err


def test_a_built_in_candidate_is_exported_on_a_few_rows_too_before_any_is_fitted(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Odd(RandomForestClassifier):  # type: ignore[misc]  # scikit-learn ships no types
        """No converter is known of it."""

    monkeypatch.setattr("training.models.candidates.RandomForestClassifier", Odd)
    project(places, monkeypatch, "built_in_models", ALONE.replace("(small_weights,)", '("random_forest",)'))
    for command in ("check", "run"):
        assert main([command]) == 1
        said = capsys.readouterr().err
        assert (
            "Candidate 'random_forest' cannot be exported as ONNX, so it was not fitted. Operator Odd in step" in said
        )


@pytest.mark.deep
def test_models_of_three_boosting_libraries_are_published_and_served_with_the_same_bits(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The guide's example, once for each library, so that each is published and answers."""
    libraries = str(boosting_libraries())
    monkeypatch.syspath_prepend(libraries)
    code = _BLOCKS["boosted.py"].code
    candidates = re.findall(r"^def (\w+)", code, re.MULTILINE)
    (project(places, monkeypatch, "boosted") / "models.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", libraries, prepend=os.pathsep)
    assert main(["check"]) == 0
    registry, bits = Registry(places / "registry"), {}
    for version, candidate in enumerate(candidates, 1):
        assert main(["run", "--models", candidate, "--gate-tolerance=1"]) == 0
        assert "parity passed" in capsys.readouterr().out
        manifest = registry.manifest("boosted", version)
        assert manifest.estimator == candidate
        assert set(manifest.libraries) & {"xgboost", "lightgbm", "catboost"} == {candidate.removeprefix("by_")}
        folder = Path(registry.where("boosted", version))
        (note,) = json.loads((folder / "metrics.json").read_bytes())["notes"][candidate]
        assert re.match(
            r"it takes \d+ of 100 rounds: so many answer best the 3\d\d rows of the train window from", note
        )
        assert f"{candidate}: {note}." in (folder / "card.md").read_text()
        model = load_model(folder, BREAKDOWN)
        assert model.shares_runs
        run = max((places / "runs" / "breakdown").iterdir())
        rows = load_dataset(run / "dataset").matrix[-203:]
        assert np.isnan(rows).any()
        exported = run_session(open_session((run / "export" / "model.onnx").read_bytes()), np.array(rows))
        answered = model.score(np.array(rows))
        assert answered == exported.tolist() == [model.score(rows[[at]])[0] for at in range(len(rows))]
        fitted = predicted(load_pickle(model_file(run / "fit", candidate)), np.array(rows))
        assert np.abs(fitted - answered).max() < 1e-6
        bits[candidate] = answered
    assert len(bits) == 3
    assert len({tuple(each) for each in bits.values()}) == 3


@pytest.mark.deep
def test_a_search_gives_the_same_model_from_the_same_seed_and_reports_its_trials(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The guide's example, twice from nothing, and once with another seed."""
    (project(places, monkeypatch, "searched") / "models.py").write_text(_BLOCKS["searched.py"].code)
    digests = []
    for folder, seed in (("one", "1"), ("two", "1"), ("three", "2")):
        monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(places / folder))
        monkeypatch.setenv("MILLRACE_REGISTRY", str(places / f"{folder}-registry"))
        assert main(["run", "--seed", seed]) == 0
        assert "is the best of 8 trials: average_precision 0." in capsys.readouterr().out
        digests.append(Registry(places / f"{folder}-registry").manifest("searched", 1).model_digest)
    assert digests[0] == digests[1] != digests[2]
    (run,) = (places / "one" / "breakdown").iterdir()
    report = json.loads((run / "fit" / "search-trees.json").read_bytes())
    assert len(report["trials"]) == 8
    assert all(len(each["folds"]) == 3 for each in report["trials"])
    assert report["best"] == max(report["trials"], key=lambda each: each["score"])["number"]
    assert "<figcaption>Search of trees</figcaption>" in (run / "fit" / "search-trees.html").read_text()
    version = Path(Registry(places / "one-registry").where("searched", 1))
    assert json.loads((version / "metrics.json").read_bytes())["search"]["trees"] == report
    card = (version / "card.md").read_text()
    assert "## Search of trees" in card
    assert f"| {report['best']} (best) |" in card
    assert main(["run", "--seed", "2", "--explain"]) == 0
    assert "fit       skipped" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("views_1", 'view="breakdown"', 'view="breakdwn"', "is of view 'breakdwn', which definitions .* do not have. "
         "There are: breakdown. Did you mean 'breakdown'"),
        ("views_2", 'owner="Plant 3"', 'owner=3', "model 'breaks': owner is 3; "),
        ("views_3", "BREAKS = ", 'OTHER = Model("breaks", "breakdown")\nBREAKS = ', "has two models 'breaks'"),
        ("views_4", '"roc_auc", "log_loss"', '"rmse",', "metrics names 'rmse', which it does not have; write one of"),
        ("views_5", '"average_precision": 0.05', '"rocauc": 0.5', "floors names 'rocauc'.* Did you mean 'roc_auc'"),
        ("views_6", "(small_weights,)", '("linear_regression",)', "linear_regression cannot learn it"),
    ],
)  # fmt: skip
def test_a_module_that_contradicts_itself_is_refused_with_what_to_write(
    places: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str, says: str
) -> None:
    project(places, monkeypatch, name, ALONE.replace(old, new))
    with pytest.raises(DefinitionError, match=says):
        defined_models(load_settings())


def test_a_module_that_is_named_and_not_there_is_refused(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert defined_models(load_settings()) == ()
    monkeypatch.setenv("MILLRACE_MODELS", "no_such.models")
    with pytest.raises(DefinitionError, match=r"MILLRACE_MODELS is 'no_such.models', and there is no such module"):
        choose_model(load_settings())
