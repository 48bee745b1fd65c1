"""An endpoint walks the trees of a version where they are what the graph is, and runs the graph where they are not."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor
from structlog.testing import capture_logs

from serving.models.model import Model, load_model
from serving.models.registry_models import RegistryModels
from serving.models.run_guard import TIMES_LONGER, RunGuard
from shared_features.errors import ManifestMismatchError
from shared_features.formats.model_manifest import MANIFEST_FILE, TREES_FILE, decode_manifest, encode_manifest
from shared_features.formats.tree_file import decode_trees, encode_trees
from tests.domains.machines import BREAKDOWN
from tests.serving.conftest import INSTANCE
from tests.serving.published_models import boosted, fitted, publish
from training.models.graph.onnx_export import export_onnx
from training.models.task_rules import RULES
from training.registry.verification import verify_version
from training.registry.versions import Registry

COLUMNS = len(BREAKDOWN.columns)


def published(registry: Path) -> Path:
    publish(registry, BREAKDOWN, graph=boosted(COLUMNS), rows_share_runs=True)
    return registry / "breakdown" / "1"


def loaded(version: Path) -> tuple[Model, list[str]]:
    """The model, and why the log says that its graph is run."""
    with capture_logs() as lines:
        model = load_model(version, BREAKDOWN)
    return model, [each["reason"] for each in lines if each["event"].startswith("running the graph")]


def replaced(version: Path, content: bytes) -> None:
    """Another file of trees, as if it had been published."""
    (version / TREES_FILE).write_bytes(content)
    manifest = decode_manifest((version / MANIFEST_FILE).read_bytes())
    files = {**manifest.files, TREES_FILE: hashlib.sha256(content).hexdigest()}
    (version / MANIFEST_FILE).write_bytes(encode_manifest(replace(manifest, files=files)))


def rows(count: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, COLUMNS)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 8, 16, 17, 100])
def test_scores_are_those_of_the_graph(tmp_path: Path, count: int) -> None:
    model, reasons = loaded(published(tmp_path))
    assert (model.trees is None, reasons) == (False, [])
    assert model.score(rows(count)) == replace(model, trees=None).score(rows(count))
    assert len(set(model.score(rows(100)))) > 5


def test_an_answer_of_the_endpoint_is_the_same_with_the_file_and_without(serving, tmp_path):
    async def answers(registry):
        async with serving(registry=registry) as client:
            answer = await client.post("/v1/views/breakdown:predict", json={"instances": [INSTANCE] * 3})
            assert answer.status_code == 200
            return answer.json()["predictions"]

    with_file, without = published(tmp_path / "with"), published(tmp_path / "without")
    (without / TREES_FILE).unlink()
    assert (with_file / TREES_FILE).is_file()
    assert asyncio.run(answers(tmp_path / "with")) == asyncio.run(answers(tmp_path / "without"))


@pytest.mark.parametrize("rows_share_runs", [True, False])
def test_a_version_of_before_is_its_graph_and_the_log_says_what_to_write(tmp_path: Path, rows_share_runs: bool) -> None:
    """It was several times slower, and nothing told so."""
    version = published(tmp_path)
    plain = json.loads((version / MANIFEST_FILE).read_bytes())
    del plain["files"][TREES_FILE]
    (version / MANIFEST_FILE).write_text(json.dumps({**plain, "rows_share_runs": rows_share_runs}))
    models = RegistryModels(tmp_path, [BREAKDOWN], "champion", 60.0)
    with capture_logs() as lines:
        models.look()
        models.look()
    assert models.current(BREAKDOWN).trees is None
    (said,) = [each for each in lines if each["event"].startswith("running the graph")]
    assert said == {
        "event": "running the graph of a model that was published without its trees", "log_level": "info",
        "model": "breakdown", "version": 1, "command": "python -m training registry republish breakdown 1",
    }  # fmt: skip


@pytest.mark.parametrize("graph", [fitted(COLUMNS, 0), boosted(COLUMNS)])
def test_nothing_is_said_of_a_version_that_has_its_trees_or_is_no_trees(tmp_path: Path, graph: bytes) -> None:
    publish(tmp_path, BREAKDOWN, graph=graph, rows_share_runs=True)
    with capture_logs() as lines:
        load_model(tmp_path / "breakdown" / "1", BREAKDOWN)
    assert lines == []


def test_a_file_that_is_missing_is_said_once_and_the_graph_answers(tmp_path: Path) -> None:
    version = published(tmp_path)
    wanted = load_model(version, BREAKDOWN).score(rows(9))
    (version / TREES_FILE).unlink()
    model, reasons = loaded(version)
    assert (model.trees, reasons) == (None, ["trees.msgpack cannot be read: No such file or directory"])
    assert model.score(rows(9)) == wanted


def test_a_file_that_was_changed_is_refused_and_verify_says_so(tmp_path: Path) -> None:
    version = published(tmp_path)
    (version / TREES_FILE).write_bytes((version / TREES_FILE).read_bytes()[:-1])
    with pytest.raises(ManifestMismatchError, match=r"trees.msgpack of model breakdown 1 is not the file that was pub"):
        load_model(version, BREAKDOWN)
    assert any(each.startswith(TREES_FILE) for each in verify_version(Registry(tmp_path), "breakdown", 1).faults)


def test_a_file_of_a_newer_schema_leaves_the_answer_to_the_graph(tmp_path: Path) -> None:
    version = published(tmp_path)
    plain = msgspec.msgpack.decode((version / TREES_FILE).read_bytes())
    replaced(version, msgspec.msgpack.encode({**plain, "schema_version": 2}))
    model, (reason,) = loaded(version)
    assert model.trees is None
    assert reason == "trees.msgpack was written by schema 2, this reader knows 1. Publish the model again."


def test_trees_of_another_model_leave_the_answer_to_the_graph(tmp_path: Path) -> None:
    """One weight of one leaf is another by a bit."""
    version = published(tmp_path)
    trees = decode_trees((version / TREES_FILE).read_bytes())
    weights = trees.ensemble.trees.weights
    at = np.argmax(np.abs(weights))
    weights[at] = np.nextafter(weights[at], np.float32(9)) * np.float32(1.001)
    replaced(version, encode_trees(trees))
    model, reasons = loaded(version)
    assert (model.trees, reasons) == (None, ["trees.msgpack gave other bits than the graph for a row that was tried"])


def test_trees_that_read_a_column_that_the_view_lacks_leave_the_answer_to_the_graph(tmp_path: Path) -> None:
    version = published(tmp_path)
    trees = decode_trees((version / TREES_FILE).read_bytes())
    trees.ensemble.trees.columns[0] = COLUMNS
    replaced(version, encode_trees(trees))
    model, reasons = loaded(version)
    assert (model.trees, reasons) == (None, [f"trees.msgpack reads column {COLUMNS} of {COLUMNS}"])


@pytest.mark.parametrize(("leaves", "row_s"), [(9, 1.0), (100, 100 / 2 / TIMES_LONGER)])
def test_no_row_walks_beyond_what_is_foreseen_for_it(leaves, row_s, tmp_path, monkeypatch):
    """Nothing ends a walk: rows that met 100 places held up the event loop, where those that were tried met 2."""
    publish(
        tmp_path, BREAKDOWN, graph=_chain(leaves), task="regression", output_name=RULES["regression"].output_name,
        rows_share_runs=True,
    )  # fmt: skip
    clock_s = itertools.count()
    monkeypatch.setattr("serving.models.model.time.perf_counter", lambda: float(next(clock_s)))
    model, reasons = loaded(tmp_path / "breakdown" / "1")
    assert (model.trees is None, reasons) == (False, [])
    assert model.row_s == row_s


def _chain(leaves: int) -> bytes:
    """A tree whose rows of missing values, zeros or ones meet one split, and others all of them."""
    below = -np.arange(float(leaves))[:, None]
    values = 2.5 ** (leaves - 10 + below[:, 0])
    model = DecisionTreeRegressor(random_state=0).fit(np.repeat(below, COLUMNS, axis=1), values)
    assert model.get_depth() == leaves - 1
    return export_onnx(make_pipeline(model), COLUMNS, "regression")


def test_a_walk_has_no_guard_and_a_run_has(tmp_path: Path) -> None:
    """The guard's thread woke 50 times a second for walks, which it cannot end."""
    model, guard = loaded(published(tmp_path))[0], RunGuard()
    with model.guarded(guard, 1.0) as options:
        assert (options, guard.running) == (None, False)
    with replace(model, trees=None).guarded(guard, 1.0) as options:
        assert guard.running
        assert options is guard.options
