"""A batch scoring by a durable run is the command's, with the version and the tables that were there when it began."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.domains.machines import BREAKDOWN
from tests.serving.published_models import publish
from training.__main__ import main
from training.registry.aliases import Aliases
from training.registry.versions import Registry
from training.runs.records.run_report import read_report
from training.runs.step_requests import answer
from training.settings import load_settings
from training.steps.run_journal import read_journal

SPAN = {"from": "2024-10-07T00:00:00Z", "to": "2024-10-11T00:00:00Z"}
ASKED: dict[str, Any] = {"model": "breakdown", "output": "week/out.parquet", **SPAN}


@pytest.fixture
def scoring(places: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of files, beside a registry with one version."""
    monkeypatch.setenv("MILLRACE_SCORING", str(places / "scoring"))
    publish(places / "registry", BREAKDOWN)
    return places / "scoring"


def ask(do: str, **request: Any) -> Any:
    return answer(load_settings(), {"do": do, **request})


def begin(name: str, parameters: dict[str, Any], **more: Any) -> Any:
    return ask("begin", name=name, template="batch-score", parameters=parameters, **more)


def test_a_run_writes_what_the_command_writes_and_again_the_same_after_a_kill(scoring: Path, places: Path) -> None:
    run = begin("one", ASKED)["result"]
    publish(places / "registry", BREAKDOWN, 1)  # is champion, and no news to a run that has begun
    (scoring / "week").mkdir(parents=True)
    left = scoring / "week" / ".out.parquet-of-a-killed-process"
    left.touch()
    assert begin("one", ASKED)["result"] == run, "two starts are one run"
    said = ask("step", run=run, step="score")["result"]
    span = ["--from", "2024-10-07", "--to", "2024-10-11"]
    assert main(["predict", "--model", "breakdown", "--version", "1", *span, "-o", str(places / "theirs.parquet")]) == 0
    output = scoring / "week" / "out.parquet"
    written = output.read_bytes()
    assert written == (places / "theirs.parquet").read_bytes()
    rows = len(pl.read_parquet(output))
    assert said["done"] == "effect"
    assert f"{rows:,} rows by breakdown version 1: {output}" in said["line"]
    assert ask("step", run=run, step="score")["result"]["line"] == said["line"]
    assert output.read_bytes() == written
    left.touch()
    summary = ask("end", run=run, error="it was cancelled")["result"]
    assert list(output.parent.iterdir()) == [output], "nothing half-written stays"
    assert summary["scored"] == {
        "model": "breakdown", "version": 1, "output": "week/out.parquet", "rows": rows, "unanswered": 0,
        "shares_runs": False,
        "why_not_compiled": "",
    }  # fmt: skip
    assert "version" not in summary, "it published none"
    assert read_report(Path(run)).parameters["output"] == "week/out.parquet"
    assert json.loads((Path(run) / "run.json").read_text())["template"] == "batch-score"


def test_a_run_that_is_resumed_scores_by_the_version_and_the_tables_of_the_one_that_failed(
    scoring: Path, places: Path
) -> None:
    run = begin("one", ASKED)["result"]
    publish(places / "registry", BREAKDOWN, 1)
    resumed = begin("two", {**ASKED, "output": "two.parquet"}, fork={"run": "one", "folder": run, "step": "score"})
    assert read_journal(Path(resumed["result"])).data == read_journal(Path(run)).data
    assert "by breakdown version 1: " in ask("step", run=resumed["result"], step="score")["result"]["line"]
    new = begin("three", ASKED)["result"]
    assert "by breakdown version 2: " in ask("step", run=new, step="score")["result"]["line"]


def test_the_rows_of_a_file_are_scored_by_the_version_that_an_alias_names(scoring: Path, places: Path) -> None:
    publish(places / "registry", BREAKDOWN, 1)
    Aliases(Registry(places / "registry")).promote("breakdown", 1, "stable")
    asked = {"model": "breakdown", "version": "stable", "spine": "rows.parquet", "output": "out.parquet"}
    missing = begin("none", asked)
    assert "rows.parquet cannot be read" in missing["error"]
    assert missing["transient"] is False
    scoring.mkdir()
    fields = [each for each in BREAKDOWN.source.fields if each.name != BREAKDOWN.source.event_time]
    row = {each.name: "m1" if each.is_text else 1 for each in fields}
    pl.DataFrame([{**row, "as_of": f"2024-10-0{day}T00:00:00Z"} for day in (7, 8)]).write_parquet(
        scoring / "rows.parquet"
    )
    run = begin("one", asked)["result"]
    assert read_journal(Path(run)).data == {"version": 1}
    assert "2 rows by breakdown version 1" in ask("step", run=run, step="score")["result"]["line"]
    theirs = places / "theirs.parquet"
    spine = ["--spine", str(scoring / "rows.parquet"), "-o", str(theirs)]
    assert main(["predict", "--model", "breakdown", "--version", "stable", *spine]) == 0
    assert (scoring / "out.parquet").read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model": "nothing"}, "The registry has no model 'nothing'. It has: breakdown"),
        ({"version": 7}, "Model 'breakdown' has no version 7. It has 1."),
        ({"to": "2034-01-01T00:00:00Z"}, "Feature rows of breakdown:v1 are complete up to"),
    ],
)
def test_what_cannot_be_scored_ends_the_run_with_its_reason(scoring: Path, changed: dict[str, Any], said: str) -> None:
    begun = begin("one", {**ASKED, **changed})
    failed = begun if "error" in begun else ask("step", run=begun["result"], step="score")
    assert said in failed["error"]
    assert failed["transient"] is False
    assert not list(scoring.rglob("*.parquet"))
