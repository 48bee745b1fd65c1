"""A model of any framework is published by its ONNX file, if it gives what the framework itself gave."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import polars as pl
import pytest
from onnx import TensorProto, helper, numpy_helper

from serving.models.model import load_model
from tests.domains.machines import BREAKDOWN
from training.__main__ import main
from training.datasets.training_dataset import load_dataset
from training.models.graph.foreign_graph import adapt_graph
from training.models.graph.onnx_export import open_session, run_session

OPTIONS = ["--train-days", "6", "--delay-days", "1", "--test-days", "3"]
FEATURES = len(BREAKDOWN.columns)


def network(weights: np.ndarray, columns: int = 1) -> bytes:
    """As PyTorch would write it: an input and an output of its own names, and one column of scores."""
    missing, zero = (
        helper.make_node("IsNaN", ["x"], ["missing"]),
        numpy_helper.from_array(np.array(0, np.float32), "zero"),
    )
    nodes = [
        missing,
        helper.make_node("Where", ["missing", "zero", "x"], ["there"]),
        helper.make_node("Gemm", ["there", "weights"], ["sum"]),
        helper.make_node("Sigmoid", ["sum"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "main_graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", len(weights)])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", columns])],
        [numpy_helper.from_array(weights.astype(np.float32).reshape(-1, columns), "weights"), zero],
    )
    model = helper.make_model(
        graph,
        producer_name="pytorch",
        producer_version="2.9",
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    return bytes(model.SerializeToString())


def called(graph: bytes, names: dict[str, str]) -> bytes:
    """The same model with other names of its tensors."""
    model = onnx.load_model_from_string(graph)
    for node in model.graph.node:
        node.input[:] = [names.get(each, each) for each in node.input]
        node.output[:] = [names.get(each, each) for each in node.output]
    for each in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        each.name = names.get(each.name, each.name)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    "names",
    [
        {"y": "score"},
        {"x": "score", "y": "features"},
        {"x": "features", "y": "score", "sum": "output_as_float", "weights": "one_axis", "zero": "positive_class"},
    ],
)
def test_a_model_may_call_its_tensors_as_the_registry_does(names: dict[str, str]) -> None:
    """An output called `score` ended with a traceback: the graph then had two tensors of that name."""
    graph = network(np.full(FEATURES, 0.02))
    rows = np.random.default_rng(1).normal(size=(20, FEATURES)).astype(np.float32)
    wanted = run_session(open_session(adapt_graph(graph, FEATURES, "binary")), rows)
    session = open_session(adapt_graph(called(graph, names), FEATURES, "binary"))
    np.testing.assert_array_equal(run_session(session, rows), wanted)


def own_scores(matrix: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-(np.nan_to_num(matrix.astype(np.float64)) @ weights))))


def test_a_graph_is_published_when_it_gives_what_is_expected_and_is_refused_with_the_row_when_not(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dataset", *OPTIONS]) == 0
    folder = capsys.readouterr().out.split("the dataset is in ")[1].strip()
    dataset = load_dataset(Path(folder))
    weights = np.zeros(FEATURES)
    weights[0] = 0.02
    (places / "net.onnx").write_bytes(network(weights))
    matrix = np.asarray(dataset.matrix[:300])
    rows = pl.DataFrame(matrix, schema=list(dataset.features), orient="row")
    score = own_scores(matrix, weights)
    rows.with_columns(score=score).write_parquet(places / "right.parquet")
    rows.with_columns(score=np.where(np.arange(300) == 7, score + 0.01, score)).write_parquet(places / "wrong.parquet")
    rows.write_parquet(places / "without.parquet")
    publish = ["publish", "--onnx", str(places / "net.onnx"), "--dataset", folder, "--expected"]

    assert main([*publish, str(places / "wrong.parquet")]) == 1
    assert "so nothing was published. Row 7 gives" in capsys.readouterr().err
    assert main([*publish, str(places / "without.parquet")]) == 1
    assert "without.parquet lacks score. It needs the features of the view" in capsys.readouterr().err
    (places / "other.onnx").write_bytes(network(np.zeros(3)))
    assert main([*publish, str(places / "right.parquet"), "--onnx", str(places / "other.onnx")]) == 1
    assert f"and the view has {FEATURES} features. Train it on the view." in capsys.readouterr().err

    assert main([*publish, str(places / "right.parquet")]) == 0
    said = capsys.readouterr().out
    assert "breakdown version 1 at" in said
    version = places / "registry" / "breakdown" / "1"
    manifest = json.loads((version / "manifest.json").read_bytes())
    assert (manifest["estimator"], manifest["libraries"]["pytorch"]) == ("pytorch", "2.9")
    assert json.loads((version / "metrics.json").read_bytes())["models"]["pytorch"]["roc_auc"] > 0.7
    model = load_model(version, BREAKDOWN)
    assert model.score(matrix[:5]) == pytest.approx(score[:5].tolist(), abs=1e-6)


def test_a_file_that_is_not_a_model_is_refused(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", "--onnx", "none.onnx", "--dataset", str(places), "--expected", "none.parquet"]) == 1
    assert "holds no dataset, and the folder of a run's dataset is needed" in capsys.readouterr().err
    assert onnx.__version__
