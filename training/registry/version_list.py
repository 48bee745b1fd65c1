"""The versions of a registry as a list, for `models` and `registry list`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared_features.formats.model_manifest import MODEL_FILE, TREES_FILE, lacks_trees, republish_command
from shared_features.kernel.event_time import to_text
from training.facts import table_lines
from training.registry.aliases import Aliases
from training.registry.version_facts import chosen_by, chosen_metrics
from training.registry.versions import Registry


def list_versions(registry: Registry, model: str | None = None) -> list[dict[str, Any]]:
    """Plain facts of every version, those of a model in ascending order."""
    found = []
    for name in registry.models() if model is None else [model]:
        aliases = Aliases(registry).of(name)
        for version in registry.versions(name):
            manifest = registry.manifest(name, version)
            found.append(
                {
                    "model": name,
                    "version": version,
                    "aliases": [alias for alias, number in aliases.items() if number == version],
                    "estimator": manifest.estimator,
                    "task": manifest.task,
                    "created_at": to_text(manifest.created_at_us),
                    "model_digest": manifest.model_digest,
                    "bytes": sum(registry.files(name, version).values()),
                    "chosen_by": chosen_by(registry, name, version),
                    "metrics": chosen_metrics(registry, name, version),
                }
            )
    return found


def version_lines(found: list[dict[str, Any]]) -> Iterator[str]:
    """`list_versions` as a table."""
    rows = [("model", "version", "published", "estimator", "chief metric", "size", "aliases")]
    for each in found:
        chief, metrics = each["chosen_by"], each["metrics"]
        metric = f"{chief} {metrics[chief]:.4f}" if chief in metrics else ""
        size = f"{each['bytes'] / 1024:,.0f} KiB"
        rows.append(
            (each["model"], str(each["version"]), each["created_at"][:16].replace("T", " "), each["estimator"], metric,
             size, ", ".join(each["aliases"]))
        )  # fmt: skip
    yield from list(table_lines("", rows))[1:]


def is_without_trees(registry: Registry, model: str, version: int) -> bool:
    """Whether an earlier release published it without the file of trees that it could have."""
    manifest = registry.manifest(model, version)
    graph = None if TREES_FILE in manifest.files else registry.find(model, version, MODEL_FILE)
    return graph is not None and lacks_trees(manifest, graph)


def without_trees(model: str, version: int) -> str:
    """That it lacks them, for people."""
    return (
        f"{model} version {version} is trees alone and has no {TREES_FILE}, so serving takes several times as long for "
        f"it: `{republish_command(model, version)}`"
    )
