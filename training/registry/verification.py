"""Whether a version is what was published: every file against its digest, manifest, graph, data and certificate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from shared_features.errors import FeatureError
from shared_features.formats.dataset_manifest import DATASET_FILE, decode_dataset_manifest
from shared_features.formats.model_manifest import (
    MANIFEST_FILE,
    METRICS_FILE,
    MODEL_FILE,
    ModelManifest,
    decode_manifest,
)
from shared_features.formats.registry_log import LOG_FILE
from training.registry.aliases import Aliases
from training.registry.gate.verdicts import verdict_faults
from training.registry.graph_check import graph_faults
from training.registry.version_facts import find_version
from training.registry.versions import Registry

_AGAIN = "Restore the version's folder from a copy, or train and publish the model again."


@dataclass(frozen=True)
class Verified:
    """One version. files: how many were hashed. faults: what is wrong, as sentences. unsealed: files without a digest.

    A manifest that was written before it kept digests says that of the graph alone.
    """

    model: str
    version: int
    files: int
    faults: tuple[str, ...]
    unsealed: tuple[str, ...] = ()


def verify_version(registry: Registry, model: str, version: int) -> Verified:
    """Read every file of a version. Nothing is changed."""
    there = registry.files(model, version)
    content = {name: registry.find(model, version, name) for name in there}
    try:
        manifest = decode_manifest(content.get(MANIFEST_FILE) or b"", MANIFEST_FILE)
    except FeatureError as error:
        return Verified(model, version, len(there), (str(error),))
    sealed = {MODEL_FILE: manifest.model_digest, **manifest.files}
    expected = {MANIFEST_FILE, METRICS_FILE, DATASET_FILE, *sealed}
    faults = [
        *(f"{name} is missing. {_AGAIN}" for name in sorted(expected - there.keys())),
        *(f"{name} is not a file of this version. Remove it." for name in sorted(there.keys() - expected)),
        *_manifest_faults(registry, manifest, model, version, content[MANIFEST_FILE] or b""),
        *(
            f"{name} has the digest {digest[:12]}, and the manifest says {sealed[name][:12]}. {_AGAIN}"
            for name, digest in _digests(content)
            if name in sealed and digest != sealed[name]
        ),
        *_content_faults(content, manifest),
        *verdict_faults(registry, model, version),
    ]
    unsealed = tuple(name for name in there if name in expected - {MANIFEST_FILE} and name not in sealed)
    return Verified(model, version, len(there), tuple(faults), unsealed)


def verify_all(
    registry: Registry, model: str | None = None, version: str | None = None
) -> tuple[list[Verified], list[str]]:
    """Every version that is asked for; and the faults of aliases and log, where all are asked for."""
    if model is not None:
        one = find_version(registry, model, version)  # which says so, where there is no such model
        wanted = [one] if version else registry.versions(model)
        return [verify_version(registry, model, each) for each in wanted], []
    found = [verify_version(registry, name, each) for name in registry.models() for each in registry.versions(name)]
    return found, registry_faults(registry)


def registry_faults(registry: Registry) -> list[str]:
    """What is wrong with aliases and the log."""
    lines = ", ".join(map(str, registry.log.damaged_lines()))
    found = [f"The log {LOG_FILE} is damaged in line {lines}. Restore it from a copy."] if lines else []
    changes = [each for each in registry.log.changes() if each.alias]
    logged = {(each.model, each.alias): None if each.action == "remove-alias" else each.version for each in changes}
    for model in registry.models():
        try:
            aliases = Aliases(registry).of(model)
        except FeatureError as error:
            found.append(str(error))
            continue
        for alias, version in aliases.items():
            if version not in registry.versions(model):
                found.append(f"{alias} of {model} names version {version}, which is missing. Promote another version.")
            if (told := logged.get((model, alias), version)) != version:
                found.append(
                    f"{alias} of {model} names version {version}, and the log says {told or 'none'}. The alias was "
                    "moved by hand, or a process was killed when it moved the alias. Promote the version that is meant."
                )
    return found


def _manifest_faults(
    registry: Registry, manifest: ModelManifest, model: str, version: int, content: bytes
) -> Iterator[str]:
    if (manifest.model, manifest.version) != (model, version):
        yield (
            f"{MANIFEST_FILE} is that of {manifest.model} {manifest.version}. A version is never copied or renamed. "
            f"{_AGAIN}"
        )
    digest = hashlib.sha256(content).hexdigest()
    told = [each.digest for each in registry.log.changes(model) if each.action == "publish" and each.version == version]
    if told and digest not in told:
        yield f"{MANIFEST_FILE} has the digest {digest[:12]}, and the log says {told[-1][:12]}. {_AGAIN}"
    parity = manifest.parity
    if not parity.cases:
        yield "The certificate is missing: no row was compared. Train and publish the model again."
    elif not parity.worst_difference <= parity.tolerance:
        yield (
            f"The certificate failed: the worst difference is {parity.worst_difference:.3g}, more than "
            f"{parity.tolerance:g}. Train and publish the model again."
        )


def _content_faults(content: dict[str, bytes | None], manifest: ModelManifest) -> Iterator[str]:
    graph, metrics, dataset = (content.get(each) for each in (MODEL_FILE, METRICS_FILE, DATASET_FILE))
    if graph is not None:
        yield from graph_faults(graph, manifest)
    if metrics is not None:
        try:
            json.loads(metrics)
        except ValueError as error:
            yield f"{METRICS_FILE} is not JSON: {error}. {_AGAIN}"
    if dataset is None:
        return
    try:
        found = decode_dataset_manifest(dataset)
    except FeatureError as error:
        yield str(error)
        return
    if found.digest != manifest.dataset_digest:
        yield f"{DATASET_FILE} is that of other rows than the manifest names. {_AGAIN}"
    if found.view.fingerprint != manifest.view.fingerprint:
        yield f"{DATASET_FILE} is of another view than the manifest names. {_AGAIN}"


def _digests(content: dict[str, bytes | None]) -> Iterator[tuple[str, str]]:
    for name, each in content.items():
        if each is not None:
            yield name, hashlib.sha256(each).hexdigest()
