"""The models of a service, as its settings say: those that answer, and those that are compared with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from serving.log import get_log
from serving.metrics import Metrics
from serving.models.challenger_metrics import ChallengerMetrics
from serving.models.challenger_models import ChallengerModels
from serving.models.registry_models import RegistryModels, WaitsFor
from serving.settings import ServingSettings
from shared_features.definitions import FeatureView
from shared_features.registry_storage.registry_mirror import RegistryMirror, mirror_of


def champion_models(
    settings: ServingSettings, views: Sequence[FeatureView], metrics: Metrics, waits_for: WaitsFor
) -> RegistryModels:
    """The models that answer."""
    return RegistryModels(
        _registry(settings, settings.model_alias),
        views,
        settings.model_alias,
        settings.model_poll_s,
        waits_from_start=not settings.allow_degraded,
        loaded=lambda view, model: metrics.model_loaded(view.label, model.name, str(model.version)),
        **_parts(settings, metrics, waits_for),
    )


def challenger_models(
    settings: ServingSettings,
    views: Sequence[FeatureView],
    metrics: Metrics,
    compared: ChallengerMetrics,
    waits_for: WaitsFor,
) -> ChallengerModels | None:
    """The models that are compared; None where nothing is to be."""
    if settings.challenger_alias in ("", settings.model_alias):
        return None
    return ChallengerModels(
        _registry(settings, settings.challenger_alias),
        views,
        settings.challenger_alias,
        settings.model_poll_s,
        loaded=lambda view, model: compared.compared(view.label, model.name, str(model.version)),
        ended=lambda view: compared.compared(view.label, "", ""),
        **_parts(settings, metrics, waits_for),
    )


def _registry(settings: ServingSettings, alias: str) -> Path | RegistryMirror:
    """The folder of the registry, or what copies it into one. Raises RegistryStorageError without `millrace[s3]`."""
    place = settings.registry
    if isinstance(place, Path):
        return place
    log = get_log("serving.models")
    return mirror_of(place, settings.registry_cache, alias, log.warning, log.info)


def _parts(settings: ServingSettings, metrics: Metrics, waits_for: WaitsFor) -> dict[str, Any]:
    return {
        "models": settings.answering_models,
        "waits_for": waits_for,
        "row_within_s": settings.serving_model_deadline_ms / 1000,
        "refused": lambda each: metrics.model_refused(each.view, each.model, each.version, each.kind),
        "refusal_ended": lambda each: metrics.refusal_ended(each.view, each.model, each.version, each.kind),
    }
