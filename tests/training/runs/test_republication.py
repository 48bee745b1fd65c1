"""A version of an earlier release is published again with its trees: the same answers, and nothing is promoted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from serving.app import create_app
from serving.models.model import load_model
from serving.settings import ServingSettings
from shared_features.definitions import load_definitions
from shared_features.formats.dataset_manifest import DATASET_FILE
from shared_features.formats.model_manifest import METRICS_FILE, MODEL_FILE, TREES_FILE, Parity
from shared_features.trees.model_trees import ModelTrees
from shared_features.trees.same_bits import same_bits
from shared_features.trees.trial_rows import any_rows
from tests.domains.machines import BREAKDOWN
from tests.fakes import InMemoryOnlineStore, PushedClock
from tests.s3_server import S3Server, s3_server
from tests.serving.conftest import INSTANCE, NOW_US, asking, machine_states
from tests.serving.published_models import fitted
from tests.serving.stored_states import NAMESPACE
from tests.training.registry.earlier_versions import (
    COLUMNS,
    MODEL,
    publish_earlier,
    without_place,
    write_first_release,
)
from training.__main__ import main
from training.errors import RegistryError
from training.inference.published_model import open_model
from training.models.graph.onnx_export import export_onnx
from training.registry.aliases import Aliases
from training.registry.deletion import delete_version
from training.registry.model_card.model_card import MODEL_CARD_HTML, MODEL_CARD_MARKDOWN
from training.registry.verification import registry_faults, verify_version
from training.registry.versions import Registry
from training.runs.republication import SHARED_RUNS, republish

ADDED = f"{TREES_FILE} and {SHARED_RUNS}"
SAME = f"Version 2 of breakdown is the same model with {ADDED}; promote that one where version 1 answers."
CARRIED = f"This is the model card of version 1. Its graph was published again as this version, with {ADDED}."


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=["folder", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    if request.param == "folder":
        return tmp_path / "registry"
    found: S3Server = request.getfixturevalue("server")
    return f"s3://{found.bucket()}/of/a-team"


@pytest.fixture
def registry(place: Path | str) -> Registry:
    """With one version, which is champion."""
    registry = Registry(place)
    publish_earlier(registry)
    Aliases(registry).promote(MODEL, 1)
    return registry


def answers(place: Path | str, cache: Path) -> tuple[int, list[dict[str, Any]]]:
    """The version that answers at the endpoint, and its predictions: of few instances, and of many."""

    async def ask() -> tuple[int, list[dict[str, Any]]]:
        given: dict[str, Any] = {
            "definitions": "tests.domains.machines", "redis_namespace": NAMESPACE, "registry": place,
            "registry_cache": cache, "model_poll_s": 0.05, "serving_max_wait_ms": 60_000,
        }  # fmt: skip
        store = InMemoryOnlineStore(machine_states())
        found: list[dict[str, Any]] = []
        async with asking(create_app(ServingSettings(**given), store=store, clock=PushedClock(NOW_US))) as client:
            for count in (1, 5, 40):
                rows = [{**INSTANCE, "celsius": 20.0 + 2 * each} for each in range(count)]
                answer = await client.post("/v1/views/breakdown:predict", json={"instances": rows})
                assert answer.status_code == 200, answer.text
                found += answer.json()["predictions"]
            return int(answer.json()["model"]["version"]), found

    return asyncio.run(ask())


def test_a_version_published_again_has_its_trees_and_the_answers_of_before(
    place: Path | str, registry: Registry, tmp_path: Path
) -> None:
    done = republish(registry, MODEL, 1, "four times faster", "ada")
    assert (done.version, done.adds) == (2, (TREES_FILE, SHARED_RUNS))
    assert TREES_FILE in registry.files(MODEL, 2)
    assert Aliases(registry).of(MODEL) == {"champion": 1}, "who answers is decided by somebody else"
    before = answers(place, tmp_path / "cache")
    Aliases(registry).promote(MODEL, 2)
    after = answers(place, tmp_path / "cache")
    assert (before[0], after[0]) == (1, 2)
    assert before[1] == after[1]
    assert len({each["score"] for each in after[1]}) > 2


def test_the_endpoint_walks_what_was_published_again(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    publish_earlier(registry)
    republish(registry, MODEL, 1)
    first, second = (load_model(Path(registry.where(MODEL, each)), BREAKDOWN) for each in (1, 2))
    assert (first.trees, second.trees is None) == (None, False)
    rows = any_rows(COLUMNS, np.random.default_rng(3))[:300]
    for some in (rows[:1], rows[:8], rows):
        ours, theirs = (np.array(each.score(some), np.float32) for each in (second, first))
        assert same_bits(ours, theirs)


def test_a_batch_of_both_versions_has_the_same_bits(registry: Registry) -> None:
    republish(registry, MODEL, 1)
    catalogue = load_definitions("tests.domains.machines")
    rows = np.tile(any_rows(COLUMNS, np.random.default_rng(4)), (55, 1))
    scores = []
    for version in ("1", "2"):
        opened = open_model(registry, catalogue, MODEL, version)
        with opened.scorer as scorer:
            scores.append(scorer.score(rows))
            assert scorer.compiled, scorer.why_not
    assert same_bits(scores[0], scores[1])


def test_all_that_was_measured_is_carried_and_said_to_be_of_the_earlier_version(registry: Registry) -> None:
    republish(registry, MODEL, 1, "four times faster", "ada")
    for name in (MODEL_FILE, METRICS_FILE, DATASET_FILE):
        assert registry.read(MODEL, 2, name) == registry.read(MODEL, 1, name)
    first, second = registry.manifest(MODEL, 1), registry.manifest(MODEL, 2)
    assert second.cost is not None
    assert second.cost.graph_bytes == len(registry.read(MODEL, 2, MODEL_FILE))
    gained = replace(first, rows_share_runs=True, cost=second.cost, republished_from=1)
    assert without_place(second) == without_place(gained)
    for name, mark in ((MODEL_CARD_MARKDOWN, "## What it is"), (MODEL_CARD_HTML, "<section><h2>What it is")):
        old, new = (registry.read(MODEL, each, name).decode() for each in (1, 2))
        assert CARRIED not in old
        before, _, after = new.partition(mark)
        assert CARRIED in before
        assert after == old.partition(mark)[2]
    change = registry.log.changes(MODEL)[-1]
    assert (change.action, change.version, change.who) == ("publish", 2, "ada")
    assert change.why == f"version 1 again, with {ADDED}: four times faster"


def test_every_version_is_as_it_was_published(registry: Registry) -> None:
    republish(registry, MODEL, 1)
    for version in (1, 2):
        found = verify_version(registry, MODEL, version)
        assert (found.faults, found.unsealed) == ((), ())
    assert registry_faults(registry) == []


def test_twice_there_is_nothing_to_do(registry: Registry) -> None:
    republish(registry, MODEL, 1)
    lines = registry.log.changes()
    for version, says in (
        (1, SAME),
        (2, "Version 2 of breakdown has trees.msgpack."),
    ):
        again = republish(registry, MODEL, version)
        assert (again.version, again.reason) == (None, says)
    assert registry.versions(MODEL) == [1, 2]
    assert registry.log.changes() == lines


def test_a_version_of_the_first_release_is_read_and_published_again(tmp_path: Path) -> None:
    """Its manifest lacks most of today's keys, and there is no log."""
    folder = write_first_release(tmp_path)
    registry = Registry(tmp_path)
    assert verify_version(registry, MODEL, 1).unsealed == (DATASET_FILE, METRICS_FILE)
    assert republish(registry, MODEL, 1).version == 2
    assert verify_version(registry, MODEL, 2).faults == ()
    assert verify_version(registry, MODEL, 2).unsealed == ()
    first, second = load_model(folder, BREAKDOWN), load_model(folder.parent / "2", BREAKDOWN)
    assert second.trees is not None
    rows = any_rows(COLUMNS, np.random.default_rng(5))[:100]
    assert second.score(rows) == first.score(rows)
    assert registry.manifest(MODEL, 2).parity == Parity(500, 1.5e-7, 1e-5, 40)


def test_a_graph_that_is_no_trees_is_not_published_again(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    publish_earlier(registry, fitted(COLUMNS, 0))
    done = republish(registry, MODEL, 1)
    assert done.version is None
    assert done.reason == "Version 1 of breakdown has a graph that gets no trees.msgpack: it has no trees."
    assert registry.versions(MODEL) == [1]


def test_trees_that_give_another_bit_are_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(tmp_path)
    publish_earlier(registry)
    republish(registry, MODEL, 1)
    delete_version(registry, MODEL, 2)
    monkeypatch.setattr(ModelTrees, "has_the_bits_of", lambda *given: False)
    done = republish(registry, MODEL, 1)
    assert (done.version, done.adds) == (3, (SHARED_RUNS,))
    assert TREES_FILE not in registry.files(MODEL, 3)
    reason = republish(registry, MODEL, 3).reason
    assert reason.endswith("gets no trees.msgpack: its trees gave other bits for a row that was tried.")


def test_a_graph_with_more_than_trees_gains_that_rows_share_a_run(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(300, COLUMNS)).astype(np.float32)
    trees = HistGradientBoostingClassifier(max_iter=3).fit(matrix, matrix[:, 0] > 0)
    graph = export_onnx(make_pipeline(SimpleImputer().fit(matrix), trees), COLUMNS)
    registry = Registry(tmp_path)
    publish_earlier(registry, graph)
    assert republish(registry, MODEL, 1).adds == (SHARED_RUNS,)
    first, second = (load_model(Path(registry.where(MODEL, each)), BREAKDOWN) for each in (1, 2))
    assert (first.shares_runs, second.shares_runs) == (False, True)
    assert first.score(matrix) == second.score(matrix)
    card = registry.read(MODEL, 2, MODEL_CARD_MARKDOWN).decode()
    assert (
        f"This is the model card of version 1. Its graph was published again as this version, with {SHARED_RUNS}."
        in card
    )


def test_what_is_published_again_later_still_says_who_was_measured(tmp_path: Path) -> None:
    """A later release may add something to a version that has its trees: here one whose trees were refused."""
    registry = Registry(tmp_path)
    publish_earlier(registry)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ModelTrees, "has_the_bits_of", lambda *given: False)
        republish(registry, MODEL, 1)
    assert republish(registry, MODEL, 2).version == 3
    assert registry.manifest(MODEL, 3).republished_from == 1
    card = registry.read(MODEL, 3, MODEL_CARD_MARKDOWN)
    assert card == registry.read(MODEL, 2, MODEL_CARD_MARKDOWN)
    assert registry.log.changes(MODEL)[-1].why == f"version 2 again, with {TREES_FILE}"


def test_a_version_with_a_fault_is_refused(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    publish_earlier(registry)
    with pytest.raises(RegistryError, match="no version 7"):
        republish(registry, MODEL, 7)
    (tmp_path / MODEL / "1" / METRICS_FILE).write_text("{}")
    with pytest.raises(RegistryError, match=r"Version 1 of breakdown cannot be published again\. metrics\.json has"):
        republish(registry, MODEL, 1)
    assert registry.versions(MODEL) == [1]


@pytest.fixture
def said(place: Path | str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """What a command of the registry says."""
    monkeypatch.setenv("MILLRACE_REGISTRY", str(place))

    def say(*arguments: str) -> str:
        assert main(["registry", *arguments]) == 0
        return capsys.readouterr().out

    return say


def test_the_commands_say_what_to_write_and_then_what_was_done(registry: Registry, said: Any) -> None:
    advice = (
        "breakdown version 1 is trees alone and has no trees.msgpack, so serving takes several times as long for it: "
        "`python -m training registry republish breakdown 1`\n"
    )
    assert said("list").endswith(advice)
    assert json.loads(said("list", "--json"))[0]["lacks_trees"] is True
    assert said("show", MODEL).endswith(advice)
    assert json.loads(said("show", MODEL, "--json"))["lacks_trees"] is True

    done = said("republish", MODEL, "1", "--why", "faster", "--who", "ada")
    assert done == (
        f"breakdown version 2 at {registry.where(MODEL, 2)}\n"
        "it has the graph of version 1, and trees.msgpack and shared runs\n"
        "its metrics, certificate and model card are those of version 1\n"
        "no alias names it: `python -m training registry promote breakdown 2` lets it answer\n"
    )
    assert "version 1 again, with trees.msgpack" in said("log")
    assert "republished from" in said("show", MODEL, "2")
    assert advice not in said("show", MODEL, "2")
    differs = said("diff", MODEL, "1", "2")
    assert any(line.split() == ["trees", "trees.msgpack"] for line in differs.splitlines())
    said("promote", MODEL, "2")
    assert "republish" not in said("list"), "version 1 answers no more"
    nothing = f"{SAME} There is nothing to do.\n"
    assert said("republish", MODEL, "1") == nothing
    plain = json.loads(said("republish", MODEL, "1", "--json"))
    assert plain == {
        "model": MODEL, "version": 1, "republished": None, "adds": [],
        "reason": SAME,
    }  # fmt: skip
