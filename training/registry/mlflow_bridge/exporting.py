"""A version of ours as one of MLflow's: its files, parameters, metrics, dataset and aliases."""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared_features.formats.model_manifest import MANIFEST_FILE, MODEL_FILE, ModelManifest
from shared_features.kernel.event_time import to_text
from training.errors import RegistryError
from training.facts import shown
from training.registry.aliases import Aliases
from training.registry.mlflow_bridge.dataset_input import log_dataset
from training.registry.mlflow_bridge.names import (
    ARTIFACTS,
    MLMODEL,
    REQUIREMENTS,
    TAG_MANIFEST,
    TAG_MODEL,
    TAG_VERSION,
    check_their_name,
    key,
    value,
)
from training.registry.model_card.document_text import markdown_section
from training.registry.model_card.model_card import MODEL_CARD_MARKDOWN
from training.registry.verification import verify_version
from training.registry.version_facts import facts_of_version
from training.registry.version_model_card import model_card_of, section_of_gate
from training.registry.versions import Registry

if TYPE_CHECKING:
    from mlflow import MlflowClient

_AT_ONCE = 100
_LONGEST_DESCRIPTION = 5_000


@dataclass(frozen=True)
class Exported:
    """theirs: the number that MLflow gave to the version. is_new: False where it was there already."""

    version: int
    theirs: int
    is_new: bool


def export_model(
    client: MlflowClient, registry: Registry, model: str, versions: list[int], name: str
) -> tuple[list[Exported], dict[str, int]]:
    """Export versions, and let the aliases that name them name theirs. Returns these too: alias -> number of theirs.

    name: of the model in MLflow. A version that was exported before is not exported again. Raises RegistryError for a
    version that is not as it was published.
    """
    check_their_name(name)
    for version in versions:
        if faults := verify_version(registry, model, version).faults:
            raise RegistryError(
                f"Version {version} of {model} cannot be exported. {faults[0]} Nothing was exported. See "
                f"`python -m training registry verify {model}`."
            )
    there = _there(client, name)
    exported = []
    for version in versions:
        digest = hashlib.sha256(registry.read(model, version, MANIFEST_FILE)).hexdigest()
        theirs = there.get(digest)
        number = theirs or _export(client, registry, model, version, name, digest)
        exported.append(Exported(version, number, is_new=theirs is None))
    numbers = {each.version: each.theirs for each in exported}
    moved = {alias: numbers[ours] for alias, ours in Aliases(registry).of(model).items() if ours in numbers}
    for alias, number in moved.items():
        client.set_registered_model_alias(name, alias, str(number))
    return exported, moved


def _there(client: MlflowClient, name: str) -> dict[str, int]:
    """Digest of a manifest -> the number of its version, of those that are in MLflow; the model is made if need be."""
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
        return {}
    found, token = {}, None
    while True:
        page = client.search_model_versions(f"name = '{name}'", page_token=token)
        found.update({each.tags[TAG_MANIFEST]: int(each.version) for each in page if TAG_MANIFEST in each.tags})
        token = page.token
        if not token:
            return found


def _export(client: MlflowClient, registry: Registry, model: str, version: int, name: str, digest: str) -> int:
    manifest = registry.manifest(model, version)
    tags = {TAG_MODEL: model, TAG_VERSION: str(version), TAG_MANIFEST: digest}
    known = client.get_experiment_by_name(name)
    experiment = client.create_experiment(name) if known is None else known.experiment_id
    begun = client.create_run(
        experiment, manifest.created_at_us // 1000, {**tags, "mlflow.runName": f"{model} version {version}"}
    )
    run = begun.info.run_id
    try:
        _log_facts(client, run, registry, model, version)
        if (dataset := registry.dataset(model, version)) is not None:
            log_dataset(client, run, dataset)
        _log_files(client, run, registry, manifest)
    except BaseException:
        client.set_terminated(run, "FAILED")
        raise
    client.set_terminated(run, "FINISHED")
    made = client.create_model_version(
        name,
        f"{begun.info.artifact_uri}/{ARTIFACTS}",
        run,
        tags=tags,
        description=_description(registry, model, version),
        await_creation_for=0,
    )
    return int(made.version)


def _log_facts(client: MlflowClient, run: str, registry: Registry, model: str, version: int) -> None:
    from mlflow.entities import Metric, Param

    facts = facts_of_version(registry, model, version)
    metrics = facts.pop("metrics")
    params = [
        Param(key(f"{section}/{name}"), value(shown(found)))
        for section, rows in facts.items()
        for name, found in rows.items()
        if name != "aliases" and shown(found)
    ]
    now_ms = int(time.time() * 1000)
    numbers = [Metric(key(name), float(each), now_ms, 0) for name, each in metrics.items() if math.isfinite(each)]
    client.log_batch(run, metrics=numbers)
    for at in range(0, len(params), _AT_ONCE):
        client.log_batch(run, params=params[at : at + _AT_ONCE])


def _log_files(client: MlflowClient, run: str, registry: Registry, manifest: ModelManifest) -> None:
    """The version's files with two that MLflow needs to load the graph. The model's own is the last one."""
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder) / ARTIFACTS
        aside.mkdir()
        for name in registry.files(manifest.model, manifest.version):
            (aside / name).write_bytes(registry.read(manifest.model, manifest.version, name))
        (aside / REQUIREMENTS).write_text("".join(_requirements(manifest)))
        (aside / MLMODEL).write_text(json.dumps(_mlmodel(run, manifest), indent=2))  # JSON is YAML
        client.log_artifacts(run, str(aside), ARTIFACTS)


def _requirements(manifest: ModelManifest) -> Iterator[str]:
    for name in ("onnx", "onnxruntime"):
        version = manifest.libraries.get(name)
        yield f"{name}=={version}\n" if version else f"{name}\n"


def _mlmodel(run: str, manifest: ModelManifest) -> dict[str, Any]:
    """So that `mlflow.pyfunc.load_model` runs the graph: float32[n, features] in, what the manifest names out."""
    width = len(manifest.view.features)
    tensor = {"dtype": "float32", "shape": [-1, width]}
    outputs = len(manifest.classes) if manifest.task == "multiclass" else 0
    shape = [-1, outputs] if outputs else [-1]
    return {
        "artifact_path": ARTIFACTS,
        "run_id": run,
        "model_uuid": manifest.model_digest[:32],
        "utc_time_created": to_text(manifest.created_at_us)[:19].replace("T", " "),
        "flavors": {
            "onnx": {"onnx_version": manifest.libraries.get("onnx", ""), "data": MODEL_FILE, "code": None,
                     "providers": ["CPUExecutionProvider"]},
            "python_function": {"loader_module": "mlflow.onnx", "data": MODEL_FILE},
        },
        "signature": {
            "inputs": json.dumps([{"type": "tensor", "name": manifest.input_name, "tensor-spec": tensor}]),
            "outputs": json.dumps(
                [{"type": "tensor", "name": manifest.output_name, "tensor-spec": {"dtype": "float32", "shape": shape}}]
            ),
            "params": None,
        },
    }  # fmt: skip


def _description(registry: Registry, model: str, version: int) -> str:
    """The model card, which MLflow shows as Markdown; of one that is too long, what the gate decided."""
    text = model_card_of(registry, model, version)[MODEL_CARD_MARKDOWN].decode()
    if len(text) <= _LONGEST_DESCRIPTION:
        return text
    more = f"The rest of the model card is {MODEL_CARD_MARKDOWN} of the artifacts."
    section = markdown_section(section_of_gate(registry, model, version))
    return f"{section[: _LONGEST_DESCRIPTION - len(more)]}{more}"
