from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared_features.formats.model_manifest import GraphCost
from shared_features.formats.registry_log import LOG_FILE
from tests.shared_features.formats.test_dataset_manifest import DATASET
from tests.shared_features.formats.test_model_manifest import MANIFEST
from tests.training.registry.sound_versions import MODEL
from training.registry.versions import Registry


def test_the_story_of_a_version_from_its_promotion_to_its_end(registry: Registry, said: Any) -> None:
    assert "champion of card_fraud is version 1" in said("promote", MODEL, "1", "--why", "the first", "--who", "ada")
    assert "version 2, before 1" in said("promote", MODEL, "2", "--who", "ada")
    assert "version 2 already, and nothing is changed" in said("promote", MODEL, "2", "--who", "eve")
    assert "version 1 again, before 2" in said("roll-back", MODEL, "--why", "complaints", "--who", "bob")
    assert "Its alias champion names that version" in said("delete", MODEL, "1", code=1)
    deleted = said("delete", MODEL, "2", "--who", "bob")
    assert "version 2 of card_fraud is deleted; its number is not given again" in deleted
    assert "version 1 of card_fraud still holds back retention from 2024-10-04T00:00:00Z on" in deleted
    log = json.loads(said("log", "--json"))
    assert [(each["action"], each["version"], each["who"], each["why"]) for each in log[2:]] == [
        ("promote", 1, "ada", "the first"),
        ("promote", 2, "ada", ""),
        ("roll-back", 1, "bob", "complaints"),
        ("delete", 2, "bob", ""),
    ]
    assert "champion 2 -> 1  complaints" in said("log", MODEL)


def test_the_list_shows_each_version_with_its_metric_and_aliases(registry: Registry, said: Any) -> None:
    said("promote", MODEL, "2", "--alias", "challenger")
    head, first, second = said("list").splitlines()
    assert head.split() == ["model", "version", "published", "estimator", "chief", "metric", "size", "aliases"]
    assert first.split()[:2] == [MODEL, "1"]
    assert "average_precision 0.7500" in second
    assert second.endswith("challenger")
    assert [each["version"] for each in json.loads(said("list", "--json"))] == [1, 2]
    assert said() == said("list")
    assert "The registry has no model 'nothing'. It has: card_fraud" in said("list", "nothing", code=1)


def test_the_list_shows_the_metric_that_chose_a_version_and_not_the_first_by_name(
    registry: Registry, said: Any
) -> None:
    metrics = {"chosen": "m", "chosen_by": "rmse", "models": {"m": {"mae": 1.0, "rmse": 2.5}}}
    registry.publish(replace(MANIFEST, model="cost", model_digest="d"), b"graph", metrics, DATASET)
    assert "rmse 2.5000" in said("list", "cost")
    assert "positive" in said("show", MODEL)


def test_a_version_is_shown_by_number_by_alias_or_as_the_champion(registry: Registry, said: Any) -> None:
    assert "card_fraud version 2, in " in said("show", MODEL), "the newest, while there is no champion"
    said("promote", MODEL, "1")
    shown = said("show", MODEL)
    assert "card_fraud version 1, in " in shown
    for fact in ("random_forest", "1.5e-07", "card_fraud:v1", "average_precision", "a test"):
        assert fact in shown
    assert said("show", MODEL, "champion") == said("show", MODEL, "1") == shown
    assert json.loads(said("show", MODEL, "2", "--json"))["metrics"] == {"average_precision": 0.75}
    assert "no alias 'shadow'. Its aliases: champion" in said("show", MODEL, "shadow", code=1)


def test_two_versions_differ_in_their_graph_and_metric_alone(registry: Registry, said: Any) -> None:
    lines = said("diff", MODEL, "1", "2").splitlines()
    assert any(line.split() == ["average_precision", "0.5", "0.75", "+0.25"] for line in lines)
    assert any(line.startswith("graph, sha256") for line in lines)
    assert not any(line.startswith(("view", "tolerance")) for line in lines)
    found = json.loads(said("diff", MODEL, "1", "2", "--json"))
    assert found["features"] == {"only in the first": [], "only in the second": []}
    assert "nothing differs" in said("diff", MODEL, "1", "1")


def test_a_program_reads_every_fact_of_two_versions_and_which_were_measured(registry: Registry, said: Any) -> None:
    """Costs that differ by chance were left out, so a program could not tell them from costs that are equal."""
    cost = GraphCost(MANIFEST.cost.graph_bytes, 12.0, 61.0) if MANIFEST.cost else None
    registry.publish(replace(registry.manifest(MODEL, 1), cost=cost), b"graph", {"models": {}}, DATASET)
    found = json.loads(said("diff", MODEL, "1", "3", "--json"))["facts"]
    by_name = {(each["section"], each["name"]): each for each in found}
    row = by_name["graph", "one row, us"]
    assert row == {
        "section": "graph", "name": "one row, us", "first": 11.0, "second": 12.0, "difference": 1.0, "same": False,
        "measured": True,
    }  # fmt: skip
    assert {each["name"] for each in found if each["measured"]} == {"one row, us", "100 rows, us", "worst difference"}
    same = by_name["certificate", "tolerance"]
    assert (same["same"], same["measured"], same["difference"]) == (True, False, 0.0)
    assert not any(line.startswith("one row, us") for line in said("diff", MODEL, "1", "3").splitlines())


def test_what_changes_the_registry_takes_a_number_and_says_so(
    registry: Registry, said: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """`invalid int value: 'champion'` was all that was said."""
    for verb in ("promote", "delete"):
        with pytest.raises(SystemExit):
            said(verb, MODEL, "champion")
        assert "'champion': give the number of a version, which `registry list` shows" in capsys.readouterr().err


def test_verify_ends_with_1_where_a_file_was_changed(registry: Registry, said: Any) -> None:
    assert said("verify") == (
        "card_fraud version 1: 4 files, as it was published\ncard_fraud version 2: 4 files, as it was published\n"
    )
    (Path(registry.where(MODEL, 2)) / "metrics.json").write_text("{}")
    assert "card_fraud version 2: 4 files, 1 fault\n    metrics.json has the digest" in said("verify", code=1)
    assert json.loads(said("verify", MODEL, "1", "--json"))["versions"][0]["faults"] == []


def test_a_registry_that_cannot_be_written_is_said_in_a_sentence(
    registry: Registry, said: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = Path(registry.store.address) / LOG_FILE
    log.unlink()
    log.mkdir()
    assert "cannot be used: [Errno 21] Is a directory" in said("promote", MODEL, "1", code=1)
