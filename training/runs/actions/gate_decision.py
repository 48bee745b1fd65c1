"""What the gate decides of a published version: the champion is looked up, both are scored, every check is written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared_features.formats.model_manifest import CHAMPION, METRICS_FILE
from shared_features.formats.training_run import DATASET_FOLDER
from shared_features.kernel.event_time import to_text
from training.definitions.gate_limits import GateLimits
from training.registry.aliases import Aliases
from training.registry.gate.beside_champion import cost_checks, stability_checks
from training.registry.gate.check import Check
from training.registry.gate.decision import Decision, decide
from training.registry.gate.live_view import view_check
from training.registry.versions import Registry
from training.runs.plan.run_parameters import RunParameters
from training.runs.records.run_folder import read_json

if TYPE_CHECKING:
    from training.datasets.training_dataset import TrainingDataset
    from training.runs.actions.champion_metrics import ChampionMetrics


def decide_promotion(run: Path, parameters: RunParameters, registry: Registry) -> dict[str, Any]:
    """Of the version that a run published; see `decide_version`."""
    published = read_json(run / "publish" / "published.json")
    metrics = read_json(run / "evaluate" / METRICS_FILE)
    return decide_version(registry, published["model"], published["version"], metrics, run / DATASET_FOLDER, parameters)


def decide_version(
    registry: Registry,
    model: str,
    version: int,
    metrics: Mapping[str, Any],
    dataset: Path | TrainingDataset,
    parameters: RunParameters,
) -> dict[str, Any]:
    """Plain data: `promotion.json`. What was measured beside the champion is null where there is none.

    metrics: of the version, over the test window of the dataset: the folder of one, or the dataset. Its `asked_at` is
    when the champion was looked up.
    """
    asked_at = to_text(registry.log.now_us())
    champion = Aliases(registry).of(model).get(CHAMPION)
    found, decision = None, Decision(True, ("it is champion already",))
    if champion != version and "not_measured" in metrics:
        unknown = Check("floors reached, and the champion matched", f"no metrics. {metrics['not_measured']}", False)
        decision = Decision(
            False, (unknown.found,), (unknown, view_check(registry.manifest(model, version), parameters.view))
        )
    elif champion != version:
        found = _measured(dataset, parameters, registry, model, version, champion)
        fits = view_check(registry.manifest(model, version), parameters.view)
        decision = _decided(metrics, found, parameters, fits)
    return {
        "model": model,
        "version": version,
        "asked_at": asked_at,
        "champion_before": champion,
        "promoted": decision.promote,
        "reasons": list(decision.reasons),
        "checks": [asdict(each) for each in decision.checks],
        **_beside(found),
    }


def _measured(
    dataset: Path | TrainingDataset,
    parameters: RunParameters,
    registry: Registry,
    model: str,
    version: int,
    champion: int | None,
) -> ChampionMetrics | None:
    """None: there is nothing to compare with, and no limit of a time."""
    limits = parameters.limits
    if champion is None and not (limits.graph_bytes or limits.row_us or limits.batch_us):
        return None
    # Imported here: a run that changes nothing does not wait for the libraries that score.
    from training.datasets.training_dataset import load_dataset
    from training.runs.actions.champion_metrics import champion_metrics, without_champion

    rows = load_dataset(dataset) if isinstance(dataset, Path) else dataset
    if champion is None:
        return without_champion(registry, model, version, rows)
    return champion_metrics(registry, model, champion, version, rows, parameters)


def _decided(
    metrics: Mapping[str, Any], found: ChampionMetrics | None, parameters: RunParameters, fits: Check
) -> Decision:
    asked = parameters.model
    return decide(
        metrics["models"][metrics["chosen"]],
        None if found is None else found.metrics,
        parameters.floors,
        parameters.gate_tolerance,
        "" if found is None else found.basis,
        parameters.chosen_by,
        None if found is None else found.comparison,
        asked.promotion if asked else "within_tolerance",
        metrics.get("slices", {}),
        asked.slice_gap if asked else None,
        [fits] if found is None else [fits, *_checks(found, parameters.limits)],
    )


def _checks(found: ChampionMetrics, limits: GateLimits) -> Iterator[Check]:
    if found.stability is not None:
        yield from stability_checks(found.stability, limits)
    elif found.metrics is not None and limits.beside_champion:
        says = "it was trained on another view, so neither scores nor graphs are compared"
        yield Check("scores and graph beside the champion's", says, True)
    yield from cost_checks(found.our_cost, found.cost, limits)


def _beside(found: ChampionMetrics | None) -> dict[str, Any]:
    """JSON has no NaN: null."""
    comparison, stability, costs = None, None, None
    if found is not None:
        costs = {"ours": asdict(found.our_cost), "champion": None if found.cost is None else asdict(found.cost)}
        stability = None if found.stability is None else _plain(asdict(found.stability))
        if found.comparison is not None:
            comparison = _plain({**asdict(found.comparison), "verdict": found.comparison.verdict})
    return {"comparison": comparison, "stability": stability, "costs": costs}


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(each, float) and math.isnan(each) else each for name, each in given.items()}
