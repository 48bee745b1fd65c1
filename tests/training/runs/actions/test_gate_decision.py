"""The gate as a run asks it: of real versions, their scores and their graphs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import page
from tests.training.pipelines.project import write_project
from training.__main__ import main
from training.facts import shown
from training.registry.aliases import Aliases
from training.registry.version_model_card import model_card_of
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
    refused = model_card_of(registry, "strict", 2)["card.md"].decode()
    assert f"Version 2 stays a challenger, version 1 was champion: PSI {second['stability']['psi']:.4f}" in refused
    assert "| FAIL | PSI of scores against the champion's &lt;= 1e-12 | PSI 0." in refused

    (package / "models.py").write_text(refusing.replace("psi=1e-12, rank_correlation=0.9, changed=0.05", "psi=1e6"))
    del sys.modules["strict_models.models"]
    assert main(["run", *OPTIONS, "--gate-tolerance", "1"]) == 0
    assert "version 2 is champion, before version 1 was champion" in capsys.readouterr().out
    assert registry.versions("strict") == [1, 2], "the gate was asked again, of the same version"
    third, promoted = decided(places)[1], model_card_of(registry, "strict", 2)
    for text in (each.decode() for each in promoted.values()):
        assert "Version 2 may become champion, version 1 was champion" in text
        for name in ("psi", "rank_correlation", "changed", "mean_change"):
            assert f" {shown(third['stability'][name])} " in text or f">{shown(third['stability'][name])}<" in text, (
                name
            )
        assert "1e-12" in text, "what was refused before is in the log"
    assert main(["registry", "verify", "strict"]) == 0


FINDS = """
from training.definitions import Model

FINDS = Model("finds", view="breakdown", candidates=("logistic_regression",), metrics=("precision_at_2_per_day",))
"""
EARLY = ["--train-days", "1", "--delay-days", "8", "--test-days", "2", "--model", "finds"]
"""Labels of eight days are not known yet, so some of the machines are still to be found."""
KNOWN = [*OPTIONS[:-1], "finds"]
"""Each machine broke before the test window, and is known to."""


@pytest.mark.deep
def test_a_champion_is_compared_by_entity_precision_and_what_cannot_be_compared_stays_a_challenger(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (write_project(places, monkeypatch, "finds_one", "") / "models.py").write_text(FINDS)
    assert main(["run", *EARLY]) == 0
    assert "version 1 is champion" in capsys.readouterr().out

    (write_project(places, monkeypatch, "finds_two", "") / "models.py").write_text(
        FINDS.replace("logistic_regression", "random_forest")
    )
    assert main(["run", *EARLY]) == 0
    said = capsys.readouterr().out
    assert re.search(
        r"version 2 stays a challenger, .*precision_at_2_per_day 0.5000 against .* 0.7500 on the same", said
    )
    second = decided(places)[1]
    found = [json.loads(Registry(places / "registry").read("finds", each, "metrics.json")) for each in (1, 2)]
    measured = [each["models"][each["chosen"]]["precision_at_2_per_day"] for each in found]
    assert second["comparison"]["metric"] == "precision_at_2_per_day"
    assert [second["comparison"][name] for name in ("theirs", "ours")] == pytest.approx(measured)
    assert measured == [0.75, 0.5]
    low, high = found[1]["intervals"]["metrics"]["precision_at_2_per_day"]
    assert low <= measured[1] <= high
    card = Registry(places / "registry").read("finds", 2, "card.md").decode()
    assert re.search(r"\| precision_at_2_per_day \| 0\.\d+ \| 0\.?\d* to [01]\.?\d* \|", card)
    assert "| entity | machine |" in card

    assert main(["run", *KNOWN]) == 0
    said = capsys.readouterr().out
    assert "was chosen by average_precision, because precision_at_2_per_day has no value in the test window" in said
    assert "version 3 stays a challenger, version 1 was champion: floors reached" in said
    assert "precision_at_2_per_day has no value in the test window, so nothing says how good the version is" in said

    package = write_project(places, monkeypatch, "finds_three", "")
    (package / "features.py").write_text(
        "from dataclasses import replace\nfrom tests.domains import machines\n\n"
        "BREAKDOWN = replace(machines.BREAKDOWN, version=2, features=machines.BREAKDOWN.features[:3])\n"
    )
    (package / "models.py").write_text(FINDS.replace("at_2", "at_3"))
    assert main(["run", *EARLY]) == 0
    said = capsys.readouterr().out
    assert "version 4 stays a challenger, version 1 was champion" in said
    assert "the champion was never measured by precision_at_3_per_day, so nothing says which of the two is bett" in said
    assert Aliases(Registry(places / "registry")).of("finds") == {"champion": 1}
