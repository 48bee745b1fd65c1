"""A registry goes to a folder of MLflow and comes back, and what was changed there does not come back."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from shared_features.formats.model_manifest import TREES_FILE
from tests.training.registry.gate.test_verdicts import asked
from tests.training.registry.sound_versions import MODEL, publish_sound
from training.__main__ import main
from training.registry.aliases import Aliases
from training.registry.gate.verdicts import keep_verdict
from training.registry.mlflow_bridge.client import mlflow_client
from training.registry.verification import verify_all
from training.registry.versions import Registry

if TYPE_CHECKING:
    from mlflow import MlflowClient

Say = Callable[..., str]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Two versions, of which the second is champion and has a file of trees. Read only."""
    registry = Registry(tmp_path_factory.mktemp("ours") / "registry")
    publish_sound(registry)
    publish_sound(registry, 1, 0.75, {TREES_FILE: b"trees"})
    Aliases(registry).promote(MODEL, 2)
    return registry


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[MlflowClient]:
    with mlflow_client(str(tmp_path / "mlflow")) as client:
        yield client


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """What a command says with the folder of MLflow and a registry, and that it ends with this exit code."""
    monkeypatch.setenv("MILLRACE_MLFLOW", str(tmp_path / "mlflow"))

    def said(registry: Path, *arguments: str, code: int = 0) -> str:
        monkeypatch.setenv("MILLRACE_REGISTRY", str(registry))
        capsys.readouterr()
        assert main(["registry", *arguments]) == code
        out, err = capsys.readouterr()
        return err if code else out

    return said


@pytest.mark.parametrize("words", [10, 1_000])
def test_a_card_that_is_too_long_for_mlflow_says_what_the_gate_decided(
    theirs: MlflowClient, say: Say, words: int, tmp_path: Path
) -> None:
    registry = Registry(tmp_path / "registry")
    publish_sound(registry, more={"card.md": b"# Card\n\n" + b"x" * 6_000, "card.html": b"<!doctype html>"})
    found = " ".join(["below"] * words)
    keep_verdict(registry, asked(found), "a test")
    say(Path(registry.store.address), "export-mlflow", MODEL)
    told = theirs.get_model_version(MODEL, "1").description or ""
    assert told.startswith("## The gate\n\nVersion 1 stays a challenger, there was no champion: below below")
    assert told.endswith("The rest of the model card is card.md of the artifacts.")
    assert len(told) <= 5_000


def test_a_registry_goes_to_mlflow_and_comes_back_as_it_was(
    ours: Registry, theirs: MlflowClient, say: Say, tmp_path: Path
) -> None:
    said = json.loads(say(Path(ours.store.address), "export-mlflow", MODEL, "--json"))
    assert said["versions"] == [{"version": n, "theirs": n, "is_new": True} for n in (1, 2)]
    assert said["aliases"] == {"champion": 2}
    assert "was version 1 of card_fraud already" in say(Path(ours.store.address), "export-mlflow", MODEL, "1")

    found = theirs.get_model_version_by_alias(MODEL, "champion")
    assert f"# Model card of {MODEL}\n\n## The gate\n\nOf version 2 there is no verdict" in str(found.description)
    run = theirs.get_run(found.run_id or "").data
    assert run.metrics == {"average_precision": 0.75}
    assert run.params["version/estimator"] == "random_forest"
    assert run.params["data/train window"] == "2024-10-04T00:00:00Z to 2024-10-10T00:00:00Z"
    inputs: Any = theirs.get_run(found.run_id or "").inputs
    (dataset,) = inputs.dataset_inputs
    assert json.loads(dataset.dataset.source)["tables"] == {"events_readings": 7}

    other = Registry(tmp_path / "other")
    assert "version 1 of card_fraud is that of MLflow" in say(Path(other.store.address), "import-mlflow", MODEL, "1")
    again = say(Path(other.store.address), "import-mlflow", MODEL, "champion", "--alias", "champion", "--why", "moved")
    assert "champion of card_fraud is version 2\n" in again
    assert "version 2 of card_fraud was already that of" in say(Path(other.store.address), "import-mlflow", MODEL)
    for version in (1, 2):
        here, there = (Path(each.where(MODEL, version)) for each in (ours, other))
        assert {each.name: each.read_bytes() for each in here.iterdir()} == {
            each.name: each.read_bytes() for each in there.iterdir()
        }
    assert Aliases(other).of(MODEL) == {"champion": 2}
    assert verify_all(other)[1] == []
    published = other.log.changes()[1]
    assert published.why == "from MLflow: card_fraud version 2, which was card_fraud version 2"
    say(Path(other.store.address), "import-mlflow", MODEL, "--model", "fraud")
    assert other.manifest("fraud", 1).model == "fraud"


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (
            "7",
            f"MLflow has no version '7' of model '{MODEL}'. Its newest version is 1, its aliases are: none. Name one",
        ),
        ("champion", f"MLflow has no alias 'champion' of model '{MODEL}'. Its newest version is 1, its aliases"),
    ],
)
def test_a_version_that_mlflow_does_not_have_is_told_from_a_wrong_address(
    ours: Registry, say: Say, tmp_path: Path, named: str, said: str
) -> None:
    say(Path(ours.store.address), "export-mlflow", MODEL, "1")
    told = say(tmp_path / "other", "import-mlflow", MODEL, named, code=1)
    assert said in told
    assert "address" not in told


def _manifest_changed(folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_text(file.read_text().replace('"average_precision"', '"roc_auc"').replace("random_forest", "forest"))


def _graph_changed(folder: Path) -> None:
    file = folder / "model.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")


def _file_added(folder: Path) -> None:
    (folder / "more.py").write_text("")


def _foreign(folder: Path) -> None:
    (folder / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_manifest_changed, "is another one than was exported. Its manifest.json has another digest"),
        (_graph_changed, "model.onnx has the digest"),
        (_file_added, "more.py is not a file of this version"),
        (_foreign, "It lacks manifest.json, so it was not exported from a registry of Millrace"),
    ],
)
def test_what_was_changed_in_mlflow_does_not_come_back(
    change: Callable[[Path], None], says: str, ours: Registry, say: Say, tmp_path: Path
) -> None:
    say(Path(ours.store.address), "export-mlflow", MODEL, "2")
    (folder,) = (each.parent for each in (tmp_path / "mlflow").rglob("MLmodel"))
    change(folder)
    refused = say(tmp_path / "other", "import-mlflow", MODEL, code=1)
    assert says in refused
    assert Registry(tmp_path / "other").models() == []


def test_a_failed_certificate_does_not_come_back(
    ours: Registry, theirs: MlflowClient, say: Say, tmp_path: Path
) -> None:
    say(Path(ours.store.address), "export-mlflow", MODEL, "2")
    (file,) = (tmp_path / "mlflow").rglob("manifest.json")
    file.write_text(re.sub(r'"worst_difference": [^,]+', '"worst_difference": 0.5', file.read_text()))
    theirs.delete_model_version_tag(MODEL, "1", "millrace.manifest_sha256")
    assert "The certificate failed" in say(tmp_path / "other", "import-mlflow", MODEL, code=1)


def test_a_version_that_is_not_as_it_was_published_is_not_exported(say: Say, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "mine")
    publish_sound(registry)
    (Path(registry.where(MODEL, 1)) / "metrics.json").write_text("{}")
    assert "Version 1 of card_fraud cannot be exported. metrics.json has" in say(
        Path(registry.store.address), "export-mlflow", MODEL, code=1
    )
    assert not list((tmp_path / "mlflow").rglob("MLmodel"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["import-mlflow", "nothing"], "MLflow has no version of a model 'nothing'. It has: none"),
        (["import-mlflow", MODEL, "--alias", "a-b"], "Alias 'a-b' is not an identifier"),
        (["import-mlflow", "o'hara"], 'MLflow cannot have a model "o\'hara"'),
        (["import-mlflow", MODEL, "shadow"], "MLflow has no version of a model 'card_fraud'. It has: none"),
        (["export-mlflow", "nothing"], "The registry has no model 'nothing'"),
        (["export-mlflow", MODEL, "--uri", "sqlite:///none.db"], "needs "),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(
    arguments: list[str], says: str, ours: Registry, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)  # its client does not bring it, and other libraries may
    assert says in say(Path(ours.store.address), *arguments, code=1)
