"""A version published again: the same graph as the next version, with what a publication adds by now.

Versions never change. So what a later release publishes beside a graph, such as its trees, an earlier version gets by
a version of its own. All that was measured is carried, and said to be of the earlier version.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shared_features.formats.model_manifest import MANIFEST_FILE, MODEL_FILE, TREES_FILE, GraphCost, ModelManifest
from shared_features.trees.trial_rows import any_rows
from training.errors import GraphNotReadError, RegistryError
from training.inference.trees.published_trees import read_trees
from training.models.graph.batch_graph import keeps_bits
from training.models.graph.graph_cost import MeasuredGraph, measure_costs
from training.registry.model_card.carried_model_card import carried_model_card
from training.registry.verification import verify_version
from training.registry.versions import Registry

SHARED_RUNS = "shared runs"
"""What a version gains by `rows_share_runs`."""


@dataclass(frozen=True)
class Republished:
    """version: its number; None where there was nothing to do. where: of the version. adds: what it has more.

    reason: why there was nothing to do, or why it has no trees.
    """

    version: int | None
    where: str = ""
    adds: tuple[str, ...] = ()
    reason: str = ""


def republish(registry: Registry, model: str, version: int, why: str = "", who: str | None = None) -> Republished:
    """Publish the graph of a version as the next one, if that gains anything. No alias is moved.

    Raises RegistryError where the version is missing, or is not as it was published.
    """
    registry.where(model, version)
    if faults := verify_version(registry, model, version).faults:
        raise RegistryError(
            f"Version {version} of {model} cannot be published again. {faults[0]} `python -m training registry verify "
            f"{model} {version}` says what else is wrong."
        )
    manifest, label = registry.manifest(model, version), f"Version {version} of {model}"
    if TREES_FILE in manifest.files:
        return Republished(None, reason=f"{label} has {TREES_FILE}.")
    graph = registry.read(model, version, MODEL_FILE)
    trees, reason = _trees(graph, manifest)
    reason = reason and f"{label} has a graph that gets no {TREES_FILE}: {reason}."
    shares = manifest.rows_share_runs or keeps_bits(graph)
    adds = (*trees, *([] if shares == manifest.rows_share_runs else [SHARED_RUNS]))
    if not adds:
        return Republished(None, reason=reason)
    again = replace(
        manifest,
        rows_share_runs=shares,
        cost=manifest.cost or _cost(graph, manifest, together=shares),
        republished_from=manifest.republished_from or version,
    )
    added = " and ".join(adds)
    carried, said = (
        _files(registry, manifest, added),
        f"version {version} again, with {added}{f': {why}' if why else ''}",
    )
    published = registry.publish_files(again, {**carried, **trees}, said, who)
    if not published.new:
        other = f"Version {published.version} of {model} is the same model with {added}"
        return Republished(None, reason=f"{other}; promote that one where version {version} answers.")
    return Republished(published.version, published.where, adds, reason)


def republish_version(registry: Registry, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """`python -m training registry republish`: what it did, as plain facts and as lines."""
    model, version = options.model, options.version
    done = republish(registry, model, version, options.why, options.who)
    plain = {"model": model, "version": version, "republished": done.version, "adds": list(done.adds)}
    if done.version is None:
        return {**plain, "reason": done.reason}, [f"{done.reason} There is nothing to do."]
    lines = [
        f"{model} version {done.version} at {done.where}",
        f"it has the graph of version {version}, and {' and '.join(done.adds)}",
        "its metrics, certificate and model card are those of version "
        f"{registry.manifest(model, done.version).republished_from}",
        *filter(None, [done.reason]),
        f"no alias names it: `python -m training registry promote {model} {done.version}` lets it answer",
    ]
    return {**plain, "where": done.where, "reason": done.reason}, lines


def _trees(graph: bytes, manifest: ModelManifest) -> tuple[dict[str, bytes], str]:
    """The file of trees under its name, or why there is none."""
    try:
        content = read_trees(graph, manifest.input_name, manifest.output_name, len(manifest.view.features))
    except GraphNotReadError as error:
        return {}, str(error)
    return {TREES_FILE: content}, ""


def _cost(graph: bytes, manifest: ModelManifest, *, together: bool) -> GraphCost:
    """On rows of any values: those that it was certified on are not kept."""
    rows = any_rows(len(manifest.view.features), np.random.default_rng(0))
    return measure_costs([MeasuredGraph(graph, rows, together)])[0]


def _files(registry: Registry, manifest: ModelManifest, adds: str) -> Mapping[str, bytes]:
    """The files of a version as they are, but for a model card that says of which version it is."""
    model, version = manifest.model, manifest.version
    names = [each for each in registry.files(model, version) if each != MANIFEST_FILE]
    files = {name: registry.read(model, version, name) for name in names}
    if manifest.republished_from is not None:
        return files
    return carried_model_card(
        files,
        f"This is the model card of version {version}. Its graph was published again as this version, with {adds}.",
    )
