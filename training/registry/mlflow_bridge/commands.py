"""`python -m training registry export-mlflow` and `import-mlflow`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from training.errors import RegistryError
from training.registry.aliases import Aliases
from training.registry.mlflow_bridge.client import mlflow_client, without_password
from training.registry.mlflow_bridge.exporting import export_model
from training.registry.mlflow_bridge.importing import import_version
from training.registry.version_facts import find_version
from training.registry.versions import Registry


def export_to_mlflow(registry: Registry, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Export a version, or all of a model. Returns what was done, as plain data and as lines. Raises RegistryError."""
    model = options.model
    one = find_version(registry, model, options.version)
    name = options.name or model
    with mlflow_client(options.uri) as client:
        exported, aliases = export_model(
            client, registry, model, [one] if options.version else registry.versions(model), name
        )
    lines = [
        f"version {each.version} of {model} {'is' if each.is_new else 'was'} version {each.theirs} of {name}"
        f"{'' if each.is_new else ' already'} in MLflow at {without_password(options.uri)}"
        for each in exported
    ]
    lines += [f"{alias} of {name} is version {number} there" for alias, number in aliases.items()]
    plain = {"model": model, "name": name, "versions": [asdict(each) for each in exported], "aliases": aliases}
    return plain, lines


def import_from_mlflow(registry: Registry, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Import a version. Returns what was done, as plain data and as lines. Raises RegistryError."""
    if options.alias and not options.alias.isidentifier():
        raise RegistryError(f"Alias {options.alias!r} is not an identifier. Name it champion, challenger or the like.")
    with mlflow_client(options.uri) as client:
        published, model = import_version(client, options.uri, registry, options.name, options.version, options.model)
    said = "is" if published.new else "was already"
    lines = [f"version {published.version} of {model} {said} that of MLflow at {without_password(options.uri)}"]
    plain = {"model": model, "version": published.version, "is_new": published.new}
    if options.alias:
        before = Aliases(registry).promote(model, published.version, options.alias, options.why, options.who)
        lines.append(
            f"{options.alias} of {model} is version {published.version}"
            + (f", before {before}" if before not in (None, published.version) else "")
        )
        plain |= {"alias": options.alias, "before": before}
    return plain, lines
