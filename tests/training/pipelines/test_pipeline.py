"""A pipeline is checked before anything is done, and runs as the page of the guide says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from shared_features.definitions import load_definitions
from shared_features.errors import DefinitionError
from shared_features.formats.offline_tables import OFFSET, PARTITION
from shared_features.formats.training_run import RESULTS_FOLDER
from streaming.operations.erasure.stores.training_runs import runs_with
from tests.docs.pages import page
from tests.training.pipelines.project import write_project
from tests.training.service.conftest import Listener
from training.__main__ import main
from training.errors import RequestError
from training.pipelines import Pipeline, PipelineStep
from training.registry.versions import Registry
from training.runs.plan.retraining import STEPS
from training.steps.run_journal import read_journal

OPTIONS = ["--train-days", "6", "--delay-days", "1", "--test-days", "3", "--models", "logistic_regression"]


def work(inputs: Path, output: Path, least: int = 1) -> str:
    return "done"


def step(name: str, *inputs: str, **options: Any) -> PipelineStep:
    return PipelineStep(name, work, inputs=inputs, **options)


def names(*steps: PipelineStep, **options: Any) -> list[str]:
    return [each.name for each in Pipeline("nightly", steps, **options).plan(STEPS, {})]


def test_steps_stand_in_sequence_side_by_side_around_and_in_place_of_built_in_ones() -> None:
    found = names(
        step("last", "promote/promotion.json", effect=True),
        step("check", "dataset/rows.parquet", before=("fit",)),
        step("left", "check/*"),
        step("right", "check/*", outputs=("a.txt",)),
        step("both", "right/a.txt", after=("left",)),
        step("export", "fit/*", outputs=("model.onnx",)),
    )
    built_in = [name for name in found if name in {each.name for each in STEPS}]
    assert built_in == [each.name for each in STEPS]
    at = found.index
    assert at("dataset") < at("check") < at("fit")
    assert at("check") < min(at("left"), at("right")) < max(at("left"), at("right")) < at("both")
    assert found[-1] == "last"
    replaced = next(each for each in Pipeline("p", (step("validate"),)).plan(STEPS, {}) if each.name == "validate")
    assert replaced.action == f"{__name__}:work"
    assert names(step("b", "a/x"), step("a", outputs=("x",)), retraining=False) == ["a", "b"]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((step("a", "datset/rows.parquet"),), "'a' takes 'datset/rows.parquet', and there is no step 'datset'. "
         "There are: dataset, .*, promote, a. Did you mean 'dataset'"),
        ((step("a", "dataset/row.parquet"),), "takes 'dataset/row.parquet', which is not among the outputs of step "
         "'dataset': dataset.json, .* Did you mean 'rows.parquet'"),
        ((step("a"), step("b", "a/x")), "takes 'a/x', which is not among the outputs of step 'a': none"),
        ((step("a", "b/x", outputs=("x",)), step("b", "a/x", outputs=("x",))),
         "steps wait for each other in a circle: (a -> b -> a|b -> a -> b)"),
        ((step("a", "promote/promotion.json", before=("fit",), effect=True),), "in a circle: .*fit"),
        ((step("a", before=("fitt",)),), "'a' comes before or after 'fitt', and there is no step 'fitt'"),
        ((step("certify"),), "step 'certify' cannot be replaced"),
        ((step("export"),), "step 'export' replaces the built-in one, whose model.onnx later steps take"),
        ((step("a", "publish/published.json"),), "of an effect, .* make this step an effect too"),
        ((step("a"), step("a")), "pipeline 'nightly' has two steps 'a'"),
        ((), "pipeline 'nightly' has no steps"),
    ],
)  # fmt: skip
def test_a_pipeline_that_cannot_be_is_refused(steps: tuple[PipelineStep, ...], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        names(*steps)


def test_parameters_are_those_of_a_step() -> None:
    pipeline = Pipeline("nightly", (step("check"),))
    with pytest.raises(
        RequestError, match=r"has no step 'chek' that takes parameters\. There are: check. Did you mean"
    ):
        pipeline.plan(STEPS, {"chek": {}})
    with pytest.raises(RequestError, match="step 'check': parameter 'least' is 'many'") as refused:
        pipeline.plan(STEPS, {"check": {"least": "many"}})
    assert refused.value.path == "$.parameters.steps.check.least"


def said_by(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["run", *OPTIONS, "--pipeline", "nightly", *arguments]) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def test_the_example_of_the_guide_runs(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = page("docs/how-to/pipelines.md").blocks()
    (block,) = [each for each in blocks if each.language == "python" and each.kind != "not run"]
    write_project(places, monkeypatch, "project_of_the_guide", block.code)
    monkeypatch.chdir(places)
    with (listener := Listener()).listening() as hook:
        monkeypatch.setenv("MILLRACE_RUNS_WEBHOOK", hook)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        run(places, capsys, listener)


def run(places: Path, capsys: pytest.CaptureFixture[str], listener: Listener) -> None:
    explained = explanation(said_by(capsys, "--explain"))
    assert explained["enough_rows"] == "open     runs, unless dataset give equal results"
    assert explained["tell"] == "effect   always"
    assert "version 1 is champion" in said_by(capsys)
    newest: Callable[[], Path] = lambda: max((places / "runs" / "breakdown").iterdir())  # noqa: E731
    done = {name: entry.done for name, entry in read_journal(newest()).steps.items()}
    effects = {"publish", "promote", "hand_over", "tell"}
    assert done == {name: "effect" if name in effects else "run" for name in done}
    assert len(done) == 14
    rows = pl.read_parquet(newest() / "dataset" / "rows.parquet").height
    features, scores = (pl.read_parquet(places / "var" / "handed_over" / each) for each in
                        ("features/features.parquet", "scores/scores.parquet"))  # fmt: skip
    assert features.height == scores.height == rows
    assert "machine_heat__celsius_mean_1h" in features.columns
    assert scores["score"].is_between(0, 1).all()
    (told,) = listener.got
    assert told["text"] == "The nightly run has ended."
    assert told["files"]["promote/promotion.json"]["promoted"] is True

    said_by(capsys)
    assert {name for name, entry in read_journal(newest()).steps.items() if entry.done != "skipped"} == effects
    assert len(listener.got) == 2
    explained = explanation(said_by(capsys, "--explain", "--set", "enough_rows.least=5"))
    assert explained["enough_rows"] == "run      least changed from 100 to 5"
    assert explained["features"].startswith("skipped")
    error = said_by(capsys, "--set", f"enough_rows.least={rows + 1}", code=1)
    assert f"step 'enough_rows' raised ValueError: the dataset has {rows} rows, fewer than {rows + 1} (line " in error
    assert "of pipelines.py). Finished steps are kept." in error
    assert read_journal(newest()).status == "failed"
    assert "fit" not in read_journal(newest()).steps
    error = said_by(capsys, "--set", "enough_rows.least=many", code=1)
    assert "step 'enough_rows': parameter 'least' is 'many': Expected `int`, got `str`" in error
    assert Registry(places / "registry").versions("breakdown") == [1]
    assert json.loads((newest() / "run.json").read_text())["asked"]["pipeline"] == "nightly"
    position = pl.read_parquet(newest() / "dataset" / "rows.parquet").row(0)[:2]
    gone = pa.table({PARTITION: pa.array([position[0]], pa.int32()), OFFSET: pa.array([position[1]], pa.int64())})
    held = runs_with(places / "runs", load_definitions("tests.domains.machines"), {"readings": gone})
    kinds = {step.name for each in held if each.parent.name == RESULTS_FOLDER for step in each.iterdir()}
    assert {"features", "scores"} < kinds, "an erasure reaches what was made from the rows"


def explanation(text: str) -> dict[str, str]:
    return {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in text.splitlines()}
