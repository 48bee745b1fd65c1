"""A model of any framework is published by its ONNX file, if it gives what the framework itself gave."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import onnx
import polars as pl
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.metrics import roc_auc_score

from serving.models.model import load_model
from tests.domains.machines import BREAKDOWN
from tests.training.pipelines.project import write_project
from tests.training.registry.model_card.test_model_card import Parsed
from training.__main__ import main
from training.datasets.time_split import TEST
from training.datasets.training_dataset import load_dataset
from training.models.graph.foreign_graph import adapt_graph
from training.models.graph.onnx_export import open_session, run_session
from training.registry.aliases import Aliases
from training.registry.versions import Registry

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


@pytest.fixture(scope="module")
def learned(machine_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the dataset that the models learned from. Read only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MILLRACE_DEFINITIONS", "tests.domains.machines")
        patch.setenv("MILLRACE_LAKE", str(machine_lake))
        patch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path_factory.mktemp("learned")))
        assert main(["dataset", *OPTIONS]) == 0
        return next((Path(os.environ["MILLRACE_TRAINING_RUNS"]) / "breakdown").glob("*/dataset"))


def weighted(**weights: float) -> np.ndarray:
    """The weight of each feature, 0 where none is given."""
    return np.array([weights.get(each.name, 0.0) for each in BREAKDOWN.columns])


def written(place: Path, name: str, weights: np.ndarray, matrix: np.ndarray) -> list[str]:
    """The options that publish a network of these weights."""
    (place / f"{name}.onnx").write_bytes(network(weights))
    rows = pl.DataFrame(matrix, schema=[each.name for each in BREAKDOWN.columns], orient="row")
    rows.with_columns(score=own_scores(matrix, weights)).write_parquet(place / f"{name}.parquet")
    return ["--onnx", str(place / f"{name}.onnx"), "--expected", str(place / f"{name}.parquet")]


def test_a_graph_is_published_when_it_gives_what_is_expected_and_is_refused_with_the_row_when_not(
    places: Path, learned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, matrix = weighted(celsius=0.02), np.asarray(load_dataset(learned).matrix[:300])
    publish = ["publish", "--dataset", str(learned), *written(places, "right", weights, matrix)]
    right, score = pl.read_parquet(places / "right.parquet"), own_scores(matrix, weights)
    right.with_columns(score=np.where(np.arange(300) == 7, score + 0.01, score)).write_parquet(places / "wrong.parquet")
    right.drop("score").write_parquet(places / "without.parquet")

    assert main([*publish, "--expected", str(places / "wrong.parquet")]) == 1
    assert "so nothing was published. Row 7 gives" in capsys.readouterr().err
    assert main([*publish, "--expected", str(places / "without.parquet")]) == 1
    assert "without.parquet lacks score. It needs the features of the view" in capsys.readouterr().err
    (places / "other.onnx").write_bytes(network(np.zeros(3)))
    assert main([*publish, "--onnx", str(places / "other.onnx")]) == 1
    assert f"and the view has {FEATURES} features. Train it on the view." in capsys.readouterr().err

    assert main(publish) == 0
    said = capsys.readouterr().out
    assert "breakdown version 1 at" in said
    assert "the gate: it may become champion. Nothing is promoted" in said
    version = places / "registry" / "breakdown" / "1"
    manifest = json.loads((version / "manifest.json").read_bytes())
    assert (manifest["estimator"], manifest["libraries"]["pytorch"]) == ("pytorch", "2.9")
    assert json.loads((version / "metrics.json").read_bytes())["models"]["pytorch"]["roc_auc"] > 0.7
    assert manifest["parity"]["on_demand_cases"] > 1_000, "as a run certifies its view"
    assert manifest["parity"]["served_values"] > 50
    assert "The fitted model is not here, so missing values" in (version / "card.md").read_text()
    model = load_model(version, BREAKDOWN)
    assert model.score(matrix[:5]) == pytest.approx(score[:5].tolist(), abs=1e-6)


NET = """
from training.definitions import Model

NET = Model("net", view="breakdown", threshold=0.8, slices=("celsius",), floors={"average_precision": 0.99},
            owner="Plant 3", description="Whether it breaks.")
"""


def test_a_foreign_model_has_the_card_of_a_trained_one(
    places: Path, learned: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (write_project(places, monkeypatch, "foreign_net", "") / "models.py").write_text(NET)
    dataset = load_dataset(learned)
    weights, rows = weighted(celsius=0.02, humidity=0.01), dataset.rows(TEST)
    files = written(places, "net", weights, np.asarray(dataset.matrix[:50]))
    assert main(["publish", "--model", "net", "--dataset", str(learned), *files, "--promote"]) == 3
    said = capsys.readouterr().out
    assert "stays a challenger, there was no champion: average_precision 0." in said
    assert "is below its floor 0.99" in said
    version = places / "registry" / "net" / "1"

    metrics, score = json.loads((version / "metrics.json").read_bytes()), own_scores(dataset.matrix[rows], weights)
    found = metrics["models"]["pytorch"]
    assert found["roc_auc"] == pytest.approx(roc_auc_score(dataset.label[rows], score), abs=1e-6)
    assert found["decisions"]["recall"] == pytest.approx(np.mean(score[dataset.label[rows] > 0] >= 0.8))
    for name, (low, high) in metrics["intervals"]["metrics"].items():
        assert low < found[name] < high
    needed = metrics["importance"]
    assert needed["celsius"] == max(needed.values()) > 0.05
    assert {needed[name] for name in needed if name not in ("celsius", "humidity")} == {0.0}, "it looks at no other"
    assert sum(each["rows"] for each in metrics["slices"]["celsius"]["slices"].values()) == len(rows)

    markdown, page = ((version / name).read_text() for name in ("card.md", "card.html"))
    sections = ["The gate", "What it is", "Data", "Metrics", "Features", "Slices", "Limits", "Lineage"]
    assert re.findall("^## (.*)$", markdown, re.M) == re.findall("<h2>(.*?)</h2>", page) == sections
    for fact in (
        *("Whether it breaks.", "Plant 3", "pytorch 2.9, from the ONNX file net.onnx", "50 rows, worst difference"),
        *("The gate compares average_precision.", "average_precision 0.99", "95% interval"),
        *("at the threshold", "pytorch trained it, and which rows it learned from is not known", dataset.digest),
    ):
        assert fact in markdown, fact
        assert fact in page, fact
    assert "It knows events up to" not in markdown
    parsed = Parsed(page)
    assert parsed.open == []
    drawn = set(re.findall("<figcaption>(.*?)</figcaption>", page))
    assert drawn == {"ROC", "Precision and recall", "Calibration", "Importance by permutation"}
    assert main(["registry", "verify", "net"]) == 0
    capsys.readouterr()
    assert main(["registry", "model-card", "net"]) == 0
    card = capsys.readouterr().out
    assert "Version 1 stays a challenger, there was no champion: average_precision 0." in card
    assert "| FAIL | average_precision >= 0.99 |" in card
    assert re.findall("^## (.*)$", card, re.M) == sections


def test_the_gate_compares_a_foreign_model_with_the_champion_on_the_same_rows(
    places: Path, learned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix, aliases = np.asarray(load_dataset(learned).matrix[:50]), Aliases(Registry(places / "registry"))
    publish = ["publish", "--dataset", str(learned)]
    good, bad = (
        written(places, name, weighted(celsius=each), matrix) for name, each in (("up", 0.02), ("down", -0.02))
    )

    assert main([*publish, *good, "--promote"]) == 0
    assert "version 1 is champion, before there was no champion: floors reached" in capsys.readouterr().out
    assert main([*publish, *bad, "--promote"]) == 3
    assert "version 2 stays a challenger, version 1 was champion: roc_auc 0." in capsys.readouterr().out

    assert main([*publish, *bad, "--floor", "roc_auc=0"]) == 0
    said = capsys.readouterr().out
    assert "breakdown version 2 (the same model was published before)" in said
    theirs, ours = (
        json.loads((places / "registry" / "breakdown" / number / "metrics.json").read_bytes()) for number in "12"
    )
    theirs, ours = (each["models"]["pytorch"]["average_precision"] for each in (theirs, ours))
    row = said.partition("average_precision as good as")[2].splitlines()[:3]  # it continues below each wide cell
    assert f"average_precision {ours:.4f} against the champion's {theirs:.4f} on the same rows" in "".join(row)
    assert row[-1].endswith("FAIL")
    assert "the gate: it stays a challenger. Nothing is promoted" in said
    assert main([*publish, *good]) == 0
    assert "version 1 is champion already" in capsys.readouterr().out
    assert aliases.of("breakdown") == {"champion": 1}

    assert main(["registry", "show", "breakdown", "2"]) == 0
    shown = capsys.readouterr().out
    assert re.search("^verdict +stays a challenger$", shown, re.M)
    assert re.search("^asked by +publish down.onnx$", shown, re.M)
    assert re.search("^beside +version 1$", shown, re.M)
    assert re.search(
        r"^average_precision as good as the champion's, tolerance 0.01\s+fail: average_precision 0", shown, re.M
    )
    log = [(each.action, each.version) for each in Registry(places / "registry").log.changes()]
    asked_again = ("gate", 2)  # with another floor
    assert log == [("publish", 1), ("gate", 1), ("promote", 1), ("publish", 2), ("gate", 2), asked_again]
    assert main(["registry", "diff", "breakdown", "1", "2"]) == 0
    assert re.search("^verdict +may become champion +stays a challenger$", capsys.readouterr().out, re.M)
    (places / "registry" / "breakdown" / "verdicts" / "2.json").unlink()  # as of a release that kept none
    assert main(["registry", "show", "breakdown", "2"]) == 0
    assert re.search("^verdict +none is kept", capsys.readouterr().out, re.M)
    assert main([*publish, *bad]) == 0
    assert main(["registry", "verify", "breakdown"]) == 0


def test_a_model_of_an_exported_dataset_is_measured_on_its_test_side_and_without_one_the_card_says_what_is_missing(
    places: Path, learned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = written(places, "net", weighted(celsius=0.02), np.asarray(load_dataset(learned).matrix[:50]))
    registry, export = places / "registry" / "breakdown", ["dataset", "--from", "2024-10-06", "--to", "2024-10-10"]
    assert main([*export, "--output", str(places / "whole")]) == 0
    assert main(["publish", "--dataset", str(places / "whole"), *files, "--promote"]) == 3
    assert "stays a challenger, there was no champion: no metrics. The rows of its dataset" in capsys.readouterr().out
    card = (registry / "1" / "card.md").read_text()
    assert re.findall("^## (.*)$", card, re.M) == ["The gate", "What it is", "Data", "Metrics", "Limits", "Lineage"]
    assert "importance of features and slices are missing, and the gate refuses the version." in card
    assert "Publish it again with a --dataset that has labelled rows for a test" in card
    assert "How good it is was not measured." in card
    assert "| divided | no, all rows are to learn from |" in card
    assert main(["registry", "show", "breakdown"]) == main(["models"]) == 0

    assert main([*export, "--split", "entity:machine", "--output", str(places / "divided")]) == 0
    assert main(["publish", "--dataset", str(places / "divided"), *files, "--promote"]) == 0
    assert "version 2 is champion" in capsys.readouterr().out
    rows = pl.read_parquet(places / "divided" / "data.parquet").filter(window="test").drop_nulls("label")
    metrics, card = json.loads((registry / "2" / "metrics.json").read_bytes()), (registry / "2" / "card.md").read_text()
    score = own_scores(rows.select(each.name for each in BREAKDOWN.columns).to_numpy(), weighted(celsius=0.02))
    assert metrics["models"]["pytorch"]["roc_auc"] == pytest.approx(roc_auc_score(rows["label"], score), abs=1e-6)
    assert metrics["intervals"]["entities"] == rows.select("plant", "machine").n_unique()
    assert f"Over {len(rows)} rows of the test window." in card
    assert f"| test | {len(rows)} | {int(rows['label'].sum())} | 0 |" in card
    assert "| divided | entity machine |" in card
    assert main(["registry", "verify", "breakdown"]) == 0


def test_without_stored_rows_publish_and_the_card_say_that_nothing_was_proven(
    places: Path, learned: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt MILLRACE_LAKE was told on the card alone."""
    files = written(places, "net", weighted(celsius=0.02), np.asarray(load_dataset(learned).matrix[:50]))
    monkeypatch.setenv("MILLRACE_LAKE", str(places / "misspelt"))
    assert main(["publish", "--dataset", str(learned), *files]) == 0
    (said,) = (each for each in capsys.readouterr().out.splitlines() if each.startswith("the view was not proven: "))
    assert "misspelt has no table 'features_" in said
    reason = said.removeprefix("the view was not proven: ")
    assert reason in (places / "registry" / "breakdown" / "1" / "card.md").read_text()


def test_a_file_that_is_not_a_model_is_refused(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", "--onnx", "none.onnx", "--dataset", str(places), "--expected", "none.parquet"]) == 1
    assert "holds no dataset. Its file dataset.json cannot be read" in capsys.readouterr().err
    assert onnx.__version__
