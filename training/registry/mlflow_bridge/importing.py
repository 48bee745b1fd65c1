"""A version of MLflow's as one of ours, if it was exported from a registry of ours and nobody changed it."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from shared_features.formats.dataset_manifest import DATASET_FILE, decode_dataset_manifest
from shared_features.formats.model_manifest import (
    MANIFEST_FILE,
    METRICS_FILE,
    MODEL_FILE,
    ModelManifest,
    decode_manifest,
)
from training.errors import RegistryError
from training.registry.mlflow_bridge.names import MLMODEL, REQUIREMENTS, TAG_MANIFEST, check_their_name
from training.registry.verification import verify_version
from training.registry.versions import Published, Registry

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""Of a version, and of an alias."""
_NAME = re.compile(r"\w[\w.-]*")


def import_version(
    client: MlflowClient, uri: str, registry: Registry, name: str, which: str | None, model: str | None
) -> tuple[Published, str]:
    """Publish a version of MLflow's under the next free number; and the name of its model here.

    which: a number or an alias; None: the newest. model: None takes the name that it was exported under. Every file is
    compared with its digest, and the certificate must have passed. Raises RegistryError where one differs.
    """
    check_their_name(name)
    found = _find(client, name, which)
    label = f"Version {found.version} of {name} in MLflow"
    content = _download(client, uri, found, label)
    manifest = decode_manifest(content[MANIFEST_FILE], f"{MANIFEST_FILE} of {label}")
    told = found.tags.get(TAG_MANIFEST)
    if told is not None and hashlib.sha256(content[MANIFEST_FILE]).hexdigest() != told:
        raise RegistryError(
            f"{label} is another one than was exported. Its {MANIFEST_FILE} has another digest than its tag "
            f"{TAG_MANIFEST} says. Export it again."
        )
    target = model or manifest.model
    _check_name(target, label)
    _check_name(manifest.model, label)
    _verify(content, manifest, label)
    more = {each: content[each] for each in manifest.files if each not in (METRICS_FILE, DATASET_FILE)}
    published = registry.publish(
        replace(manifest, model=target, republished_from=None),  # a number of the registry that exported it
        content[MODEL_FILE],
        json.loads(content[METRICS_FILE]),
        decode_dataset_manifest(content[DATASET_FILE]),
        f"from MLflow: {name} version {found.version}, which was {manifest.model} version {manifest.version}",
        more,
    )
    return published, target


def _find(client: MlflowClient, name: str, which: str | None) -> ModelVersion:
    from mlflow.exceptions import MlflowException

    newest = client.search_model_versions(f"name = '{name}'", order_by=["version_number DESC"], max_results=1)
    if not newest:
        known = ", ".join(each.name for each in client.search_registered_models()) or "none"
        raise RegistryError(f"MLflow has no version of a model {name!r}. It has: {known}. Name one of these.")
    if which is None:
        return newest[0]
    try:
        return (
            client.get_model_version(name, which)
            if which.isdecimal()
            else client.get_model_version_by_alias(name, which)
        )
    except MlflowException as error:
        if error.error_code not in _ABSENT:
            raise
        aliases = ", ".join(sorted(client.get_registered_model(name).aliases)) or "none"
        kind = "version" if which.isdecimal() else "alias"
        raise RegistryError(
            f"MLflow has no {kind} {which!r} of model {name!r}. Its newest version is {newest[0].version}, its aliases "
            f"are: {aliases}. Name one of these."
        ) from error


def _download(client: MlflowClient, uri: str, found: ModelVersion, label: str) -> dict[str, bytes]:
    """The files of a version, without those that only MLflow needs."""
    from mlflow.artifacts import download_artifacts

    with tempfile.TemporaryDirectory() as folder:
        source = client.get_model_version_download_uri(found.name, found.version)
        path = Path(download_artifacts(artifact_uri=source, dst_path=folder, tracking_uri=uri))
        files = {each.name: each for each in path.iterdir() if each.is_file()} if path.is_dir() else {}
        content = {name: each.read_bytes() for name, each in files.items() if name not in (MLMODEL, REQUIREMENTS)}
    if missing := [each for each in (MANIFEST_FILE, MODEL_FILE, METRICS_FILE, DATASET_FILE) if each not in content]:
        raise RegistryError(
            f"{label} cannot be imported. It lacks {', '.join(missing)}, so it was not exported from a registry of "
            "Millrace. Publish its ONNX file with `python -m training publish --onnx`, which certifies it."
        )
    return content


def _verify(content: Mapping[str, bytes], manifest: ModelManifest, label: str) -> None:
    """As `registry verify` does, in a registry of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / manifest.model / str(manifest.version)
        path.mkdir(parents=True)
        for name, each in content.items():
            (path / name).write_bytes(each)
        found = verify_version(Registry(Path(folder)), manifest.model, manifest.version)
    if found.faults or found.unsealed:
        fault = [*found.faults, *(f"{name} has no digest in the manifest." for name in found.unsealed)][0]
        raise RegistryError(f"{label} cannot be imported. {fault} Export it again from the registry that has it.")


def _check_name(model: str, label: str) -> None:
    if not _NAME.fullmatch(model):
        raise RegistryError(
            f"{label} is of a model {model!r}. A name has letters, digits, underscores, dots and hyphens. Give another "
            "one with --model."
        )
