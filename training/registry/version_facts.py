"""The facts of a version, in sections, as `registry show` and `registry diff` tell them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared_features.definitions import difference
from shared_features.formats.dataset_manifest import DatasetManifest, WindowCounts
from shared_features.formats.model_manifest import (
    BATCH_ROWS,
    DELETED,
    METRICS_FILE,
    MODEL_FILE,
    TREES_FILE,
    ModelManifest,
)
from shared_features.kernel.event_time import to_text
from training.datasets.outcomes.told_labels import tell_labels
from training.errors import RegistryError
from training.facts import FactRow, Facts, graph_facts
from training.models.task_rules import RULES
from training.registry.aliases import Aliases
from training.registry.gate.beside_champion import USUAL_RATIO
from training.registry.gate.verdicts import verdict_facts
from training.registry.model_card.data_tables import window_facts
from training.registry.versions import Registry

GATE = "gate"


def find_version(registry: Registry, model: str, name: str | None) -> int:
    """The version of a number or an alias; None: the champion, or the newest. Raises RegistryError."""
    versions, aliases = registry.versions(model), Aliases(registry).of(model)
    if not versions:
        raise _unknown(registry, model)
    if name is None:
        return aliases.get("champion", versions[-1])
    if name.isdecimal():
        registry.where(model, int(name))
        return int(name)
    if name not in aliases:
        there = ", ".join(aliases) or "none"
        raise RegistryError(f"Model {model!r} has no alias {name!r}. Its aliases: {there}. Give one, or a number.")
    return aliases[name]


def _unknown(registry: Registry, model: str) -> RegistryError:
    """Of a model without a version: a folder with what was deleted may be there."""
    there = registry.models()
    known = [each for each in there if registry.versions(each)]
    what = f"The registry has no model {model!r}. It"
    if model in there and registry.store.files(f"{model}/{DELETED}"):
        what = f"All versions of model {model!r} were deleted. The registry"
    do = "Name one of these" if known else "Publish a version first"
    return RegistryError(f"{what} has: {', '.join(known) or 'none'}. {do}.")


def facts_of_version(registry: Registry, model: str, version: int) -> Facts:
    """Those that were published, and what the gate decided."""
    return {**published_facts(registry, model, version), GATE: verdict_facts(registry, model, version)}


def published_facts(registry: Registry, model: str, version: int) -> Facts:
    """What it is, of which view, from which data, how good, and by what it is certified."""
    manifest, dataset = registry.manifest(model, version), registry.dataset(model, version)
    view, parity = manifest.view, manifest.parity
    return {
        "version": {
            "aliases": [name for name, number in Aliases(registry).of(model).items() if number == version],
            "published at": to_text(manifest.created_at_us),
            **_origin(manifest),
            **({"trees": TREES_FILE} if TREES_FILE in manifest.files else {}),
            "estimator": manifest.estimator,
            "task": manifest.task,
            "classes": list(manifest.classes),
            "threshold": manifest.threshold,
            "graph, sha256": manifest.model_digest[:16],
            **manifest.libraries,
        },
        "graph": {**graph_facts(manifest.cost), "bytes": registry.files(model, version)[MODEL_FILE]},
        "view": {
            "view": f"{view.name}:v{view.version}",
            "fingerprint": view.fingerprint,
            **{each.label: each.fingerprint for each in view.groups},
            "request fields": list(view.request_fields),
            "features": len(view.features),
            "categories": {name: len(values) for name, values in manifest.categories.items()},
        },
        "data": _data(manifest, dataset),
        "metrics": chosen_metrics(registry, model, version),
        "certificate": {
            "rows": parity.cases,
            "worst difference": parity.worst_difference,
            "tolerance": parity.tolerance,
            "values of on-demand functions": parity.on_demand_cases,
        },
    }


def says_something(row: FactRow) -> bool:
    """Whether two versions differ in this fact, beyond what differs between two certificates of one graph.

    What was measured, the times of the graph and the worst difference, says something where it is more than twice the
    other, as the gate has it, and in a verdict where one passed and the other did not.
    """
    if not is_measured(row) or None in (row.first, row.second):
        return not row.same
    if row.section == GATE:
        return str(row.first).partition(":")[0] != str(row.second).partition(":")[0]
    return bool(max(row.first, row.second) > USUAL_RATIO * min(row.first, row.second))


def is_measured(row: FactRow) -> bool:
    """Whether a fact differs by chance from one measurement of the same graph to another."""
    if row.section == GATE:
        return row.name.startswith(("one row", f"{BATCH_ROWS} rows"))
    return row.name.endswith(", us") if row.section == "graph" else row.name == "worst difference"


def chosen_by(registry: Registry, model: str, version: int) -> str:
    """The metric that chose the version among its candidates, and that the gate compared."""
    found = _metrics(registry, model, version)
    return str(found.get("chosen_by", RULES[registry.manifest(model, version).task].chosen_by))


def _metrics(registry: Registry, model: str, version: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(registry.read(model, version, METRICS_FILE))
    return found


def chosen_metrics(registry: Registry, model: str, version: int) -> dict[str, Any]:
    """The metrics of the version itself that are one number."""
    metrics = _metrics(registry, model, version)
    found = metrics.get("models", {}).get(metrics.get("chosen"), {})
    return {name: value for name, value in found.items() if isinstance(value, int | float)}


def definition_changes(first: ModelManifest, second: ModelManifest) -> str:
    """What changed in the view from one version to another, in one line; empty where nothing did."""
    if first.view.fingerprint == second.view.fingerprint or not (first.view.definition and second.view.definition):
        return ""
    return difference(first.view.definition, second.view.definition)


def feature_changes(first: ModelManifest, second: ModelManifest) -> Mapping[str, list[str]]:
    """The features that only one of the two takes."""
    ours, theirs = first.view.features, second.view.features
    return {
        "only in the first": [name for name in ours if name not in theirs],
        "only in the second": [name for name in theirs if name not in ours],
    }


def _rows(name: str, window: WindowCounts, dataset: DatasetManifest) -> dict[str, int]:
    """With those of each outcome, where the label has outcomes."""
    if dataset.task == "regression":
        return {name: window.labelled}
    if dataset.task == "multiclass":
        of_class = zip(dataset.classes, window.by_class, strict=False)  # of a window without rows there is no count
        return {name: window.labelled, **{f"{name}, {each}": count for each, count in of_class}}
    return {name: window.labelled, f"{name}, positive": window.positive}


def _origin(manifest: ModelManifest) -> dict[str, str]:
    """Of a version whose graph was published again."""
    version = manifest.republished_from
    return (
        {}
        if version is None
        else {"republished from": f"version {version}, which was published, measured and certified then"}
    )


def _data(manifest: ModelManifest, dataset: DatasetManifest | None) -> dict[str, Any]:
    known = {"digest": manifest.dataset_digest[:16], "complete up to": to_text(manifest.cut_us)}
    if dataset is None:
        return known
    rows = dataset.rows
    return {
        **known,
        **window_facts(dataset),
        "labels known at": to_text(dataset.labels.cutoff_us),
        "entity": dataset.entity,
        **_rows("train rows", rows.train, dataset),
        **_rows("test rows", rows.test, dataset),
        **({"labels": "; ".join(said)} if (said := tell_labels(dataset)) else {}),
        "erased entities": dataset.erased_entities,
        **{f"table {name}": each.version for name, each in dataset.tables.items()},
    }
