"""`leak-check` as people run it: a clean view ends with 0, a leak with 1, and the page's function is honest."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import polars as pl
import prometheus_client
import pytest

from tests.docs.pages import page
from tests.training.pipelines.project import write_project
from training.__main__ import main
from training.datasets.training_dataset import load_dataset

(_BLOCK,) = [each for each in page("docs/how-to/proofs.md").blocks() if each.language == "python"]
OPTIONS = ["leak-check", "--view", "breakdown", "--train-days", "6", "--delay-days", "1", "--test-days", "3"]
LEAKY = """
import polars as pl
def add_columns(events, spine):
    return spine.with_columns(tomorrow=pl.col("celsius").shift(-1))
"""
IMPORTED_ONCE = """
import polars as pl
from prometheus_client import Counter
CALLS = Counter("proven_once_calls", "Calls of add_columns.")
def add_columns(events, spine):
    return spine.with_columns(fahrenheit=pl.col("celsius") * 1.8 + 32)
"""
PIPELINES = """
from training.pipelines import DATASET, Pipeline, PipelineStep
from tests.training.proofs.leaks.seeded_steps import honest, whole_set
MINE = Pipeline("mine", (PipelineStep("good", honest, DATASET), PipelineStep("bad", whole_set, DATASET)))
"""


def test_a_view_without_a_leak_ends_with_0(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*OPTIONS, "--rows", "200"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1].startswith("checked: 11 stored features, 2 on-demand features, ")
    assert not any(line.startswith("LEAK") for line in said)


def test_the_function_of_the_page_is_honest_and_one_that_leaks_ends_with_1(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = write_project(places, monkeypatch, "proven_rows", "")
    (package / "rows.py").write_text(_BLOCK.code)
    (package / "leaky.py").write_text(LEAKY)
    assert main([*OPTIONS, "--rows", "150", "--own", "proven_rows.rows:add_columns", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["checked"]["features of your own"] == 1
    assert main([*OPTIONS, "--rows", "150", "--own", "proven_rows.leaky:add_columns"]) == 1
    assert "LEAK  tomorrow changes with rows that come later: as of 2024-10-" in capsys.readouterr().out
    assert main([*OPTIONS, "--rows", "150", "--own", "proven_rows.rows:nothing"]) == 1
    assert "Write MODULE:FUNCTION" in capsys.readouterr().err


def test_a_module_that_can_be_imported_once_only_is_tried_and_told(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was refused: there was no function."""
    package = write_project(places, monkeypatch, "proven_once", "")
    (package / "once.py").write_text(IMPORTED_ONCE)
    try:
        assert main([*OPTIONS, "--rows", "150", "--own", "proven_once.once:add_columns"]) == 0
    finally:
        prometheus_client.REGISTRY.unregister(importlib.import_module("proven_once.once").CALLS)
    said = capsys.readouterr().out
    assert "note  the module of add_columns could not be imported again: DuplicateTimeseries: " in said
    assert "1 feature of your own" in said


def test_a_module_whose_first_import_fails_is_refused_with_what_it_raised(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = write_project(places, monkeypatch, "proven_never", "")
    (package / "never.py").write_text('raise RuntimeError("context has already been set")')
    assert main([*OPTIONS, "--rows", "150", "--own", "proven_never.never:add_columns"]) == 1
    assert "Module proven_never.never cannot be imported: it raised RuntimeError: context" in capsys.readouterr().err
    assert main([*OPTIONS, "--rows", "150", "--own", ":add_columns"]) == 1
    assert "There is no function ':add_columns': it names no module. Write MODULE:" in capsys.readouterr().err


def test_a_spine_without_its_function_is_refused(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It was not read, and the command said that there is no leak."""
    assert main([*OPTIONS, "--spine", "rows.csv"]) == 1
    assert "The rows of rows.csv belong to a function of yours, and none is named. Name it by --own" in (
        capsys.readouterr().err
    )


def test_a_spine_of_ones_own_is_taken(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = write_project(places, monkeypatch, "proven_spine", "")
    (package / "leaky.py").write_text(LEAKY)
    instants = [f"2024-10-{day:02}T0{hour}:00:00Z" for day in range(6, 12) for hour in range(5)]
    rows = pl.DataFrame({"plant": "plant|1", "machine": "m1", "as_of": instants, "celsius": range(30)})
    rows.write_csv(places / "rows.csv")
    named = ["--own", "proven_spine.leaky:add_columns", "--spine", str(places / "rows.csv")]
    assert main([*OPTIONS, "--rows", "150", *named]) == 1
    assert "tomorrow changes with rows that come later" in capsys.readouterr().out
    rows.with_columns(as_of=pl.lit("06/10/2024")).write_csv(places / "rows.csv")
    assert main([*OPTIONS, *named]) == 1
    assert "has a text that is not a time in row 0: '06/10/2024'" in capsys.readouterr().err


def test_the_steps_of_a_pipeline_are_tried(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(places, monkeypatch, "proven_steps", PIPELINES)
    assert main([*OPTIONS, "--rows", "150", "--pipeline", "mine"]) == 1
    said = capsys.readouterr().out
    assert "LEAK  bad/more.parquet: column changes with rows that come later" in said
    assert "1 column of step good" in said
    assert "LEAK  good" not in said


def test_a_run_has_the_gate_before_the_fit_and_the_manifest_says_how_much_was_read(places: Path) -> None:
    assert main(["run", *OPTIONS[1:], "--models", "logistic_regression"]) == 0
    (run,) = (each for each in (places / "runs" / "breakdown").iterdir() if each.is_dir())
    found = json.loads((run / "leaks" / "leaks.json").read_bytes())
    assert found["leaks"] == []
    assert found["checked"]["on-demand features"] == 2
    parity = json.loads((places / "registry" / "breakdown" / "1" / "manifest.json").read_bytes())["parity"]
    assert parity["served_values"] == found["served_values"] > 0
    assert len(load_dataset(run / "dataset")) > 0
