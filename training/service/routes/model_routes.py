"""The path of models: every version in the registry, with its aliases and what it was made from."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from fastapi import APIRouter

from shared_features.formats.dataset_manifest import DATASET_FILE
from shared_features.formats.model_manifest import METRICS_FILE
from training.registry.aliases import Aliases
from training.registry.versions import Registry
from training.service.routes.answers import ModelAnswer


def model_router(registry: Registry) -> APIRouter:
    router = APIRouter(prefix="/v1/models", tags=["models"])

    @router.get("", summary="The model versions, newest first, with aliases and lineage")
    def every() -> list[ModelAnswer]:
        return model_answers(registry)

    return router


def model_answers(registry: Registry) -> list[ModelAnswer]:
    found = []
    for model in registry.models():
        aliases = Aliases(registry).of(model)
        for version in reversed(registry.versions(model)):
            names = [name for name, number in aliases.items() if number == version]
            found.append(_answer(registry, model, version, names))
    return found


def _answer(registry: Registry, model: str, version: int, aliases: list[str]) -> ModelAnswer:
    manifest = registry.manifest(model, version)
    metrics, dataset = (json.loads(registry.read(model, version, each)) for each in (METRICS_FILE, DATASET_FILE))
    best = metrics.get("models", {}).get(metrics.get("chosen"), {})
    return ModelAnswer(
        model=model,
        version=version,
        aliases=aliases,
        estimator=manifest.estimator,
        created_at=datetime.fromtimestamp(manifest.created_at_us / 1e6, UTC).isoformat(timespec="seconds"),
        model_digest=manifest.model_digest,
        view=f"{manifest.view.name}:v{manifest.view.version}",
        view_fingerprint=manifest.view.fingerprint,
        groups={f"{each.name}:v{each.version}": each.fingerprint for each in manifest.view.groups},
        dataset_digest=manifest.dataset_digest,
        cut_us=manifest.cut_us,
        tables={name: each["version"] for name, each in dataset["tables"].items()},
        metrics={name: value for name, value in best.items() if isinstance(value, int | float)},
    )
