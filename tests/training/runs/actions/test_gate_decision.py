"""The gate as a run asks it: of real versions, their scores and their graphs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import page
from tests.training.pipelines.project import write_project
from training.__main__ import main
from training.registry.aliases import Aliases
from training.registry.versions import Registry
from training.runs.records.run_report import read_report
from training.runs.records.run_summary import summarize
from training.scheduler.runs.run import Run
from training.scheduler.runs.run_facts import facts_of

STRICT = next(each.code for each in page("docs/retraining.md").blocks() if each.title == "strict.py")
QUICK = STRICT.replace("row_us=500", "row_us=1e9").replace("time_ratio=5", "time_ratio=1e9")
"""No machine is so busy that it is slower."""
OPTIONS = ["--train-days", "6", "--delay-days", "1", "--test-days", "3", "--model", "strict"]


def decided(places: Path) -> tuple[Path, dict[str, Any]]:
    run = max((places / "runs" / "breakdown").iterdir())
    return run, json.loads((run / "promote" / "promotion.json").read_text())


@pytest.mark.deep
def test_a_version_is_held_to_its_limits_and_every_figure_is_kept(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = write_project(places, monkeypatch, "strict_models", "")
    (package / "models.py").write_text(QUICK)
    assert main(["run", *OPTIONS]) == 0
    said = capsys.readouterr().out
    for asked in (
        "model.onnx <= 1,000,000 bytes",
        "one row <= 1,000,000,000 us",
        "and its groups as they are defined now",
    ):
        assert asked in said
    run, first = decided(places)
    assert first["stability"] is None, "there is no champion yet"
    registry = Registry(places / "registry")
    cost = registry.manifest("strict", 1).cost
    assert cost == read_report(run).graph
    assert cost is not None
    assert first["costs"]["ours"]["graph_bytes"] == cost.graph_bytes == (run / "export" / "model.onnx").stat().st_size
    assert f"{cost.graph_bytes:,} bytes; processor time" in registry.read("strict", 1, "card.md").decode()

    refusing = QUICK.replace("psi=0.2", "psi=1e-12").replace("logistic_regression", "random_forest")
    (package / "models.py").write_text(refusing)
    del sys.modules["strict_models.models"]
    assert main(["run", *OPTIONS]) == 0
    said = capsys.readouterr().out
    assert "version 2 stays a challenger, version 1 was champion: PSI 0." in said
    verdicts = dict(
        line.rsplit(maxsplit=1) for line in said.partition("== the gate\n")[2].splitlines() if "PSI" in line
    )
    assert list(verdicts.values()) == ["FAIL"]
    assert Aliases(registry).of("strict") == {"champion": 1}

    run, second = decided(places)
    assert second["stability"]["rows"] == second["comparison"]["rows"]
    assert second["costs"]["champion"]["graph_bytes"] == cost.graph_bytes
    facts = facts_of(
        Run("a", "succeeded", "retrain", {}, "2026-11-29T03:00:00+00:00", "f", ""), summarize(run), read_report(run)
    )
    assert facts["scores beside the champion's"]["PSI"] == second["stability"]["psi"]
    assert facts["graph"]["bytes"] == second["costs"]["ours"]["graph_bytes"]
    assert "fail: PSI" in facts["gate"]["PSI of scores against the champion's <= 1e-12"]
