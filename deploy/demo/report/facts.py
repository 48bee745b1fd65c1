"""The facts of a run: what the summary shows and `--json` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from deploy.demo.report import lake_facts
from deploy.demo.report.replayed_features import Replayed
from deploy.demo.stage.stage import VIEW
from deploy.demo.traffic.prediction_client import Asked, PredictionClient
from deploy.demo.traffic.records import Truth
from shared_features.definitions import Catalogue
from shared_features.event_sources import CARD_TRANSACTIONS
from shared_features.formats.dataset_manifest import DATASET_FILE
from shared_features.formats.model_manifest import ALIASES, CHAMPION, MANIFEST_FILE, METRICS_FILE

LATENESS_US = 600_000_000
SHOWN = 3

Facts = dict[str, Any]


def event_facts(lake: Path, catalogue: Catalogue, truth: Truth) -> Facts:
    """What was sent, what the lake holds of it, and whether they agree."""
    sources = {source.name: lake_facts.source_facts(lake, source, LATENESS_US) for source in catalogue.sources}
    letters = lake_facts.dead_letters(lake)
    dead = sum(each["count"] for each in letters.values())
    accepted = sum(each.stored for each in sources.values())
    found = {
        "late": sources[CARD_TRANSACTIONS.name].late,
        "duplicates": sum(each.duplicates for each in sources.values()),
        "dead": dead,
    }
    sent = {**asdict(truth), "records": truth.records}
    return {
        "sent": sent,
        "stored": {name: lake_facts.as_json(each) for name, each in sources.items()},
        "accepted": accepted,
        **found,
        "dead_letters": letters,
        "feature_rows": lake_facts.feature_rows(lake, catalogue),
        "accounted_for": accepted + dead == truth.records and all(found[name] == sent[name] for name in found),
    }


def model_facts(registry: Path) -> Facts:
    """What training published: every model's metrics, the chosen one, its certificate, and the rows behind them."""
    version = (registry / VIEW / ALIASES / CHAMPION).read_text().strip()
    path = registry / VIEW / version
    read = {name: json.loads((path / name).read_bytes()) for name in (METRICS_FILE, MANIFEST_FILE, DATASET_FILE)}
    metrics, manifest, dataset = (read[name] for name in (METRICS_FILE, MANIFEST_FILE, DATASET_FILE))
    return {
        "version": int(version),
        "path": str(path),
        "chosen": metrics["chosen"],
        "chosen_by": metrics["chosen_by"],
        "models": {
            name: {key: value for key, value in each.items() if isinstance(value, int | float)}
            for name, each in metrics["models"].items()
        },
        "rows": dataset["rows"],
        "features": len(dataset["features"]),
        "split": dataset["split"],
        "parity": {
            **manifest["parity"],
            "ok": manifest["parity"]["worst_difference"] <= manifest["parity"]["tolerance"],
        },
    }


def prediction_facts(client: PredictionClient, replayed: Replayed) -> Facts:
    """How the predictions went, and some of them: the highest score, the middle one and the lowest."""
    answered = client.answered
    with_features = sorted((each for each in answered if each.features is not None), key=lambda each: -each.score)
    places = sorted({0, len(with_features) // 2, len(with_features) - 1}) if with_features else []
    scores = np.array([each.score for each in answered])
    return {
        "answered": len(answered),
        "refused": client.refused,
        "skipped": client.skipped,
        "degraded": sum(bool(each.answer["degraded"]) for each in answered),
        "unknown_entities": sum(bool(each.prediction["missing_entities"]) for each in answered),
        "latency_seconds": latency_seconds(answered),
        "freshness_seconds": freshness_seconds(answered),
        "score": {"median": float(np.median(scores)), "highest": float(scores.max())} if answered else {},
        "features_replayed": {**asdict(replayed), "ok": replayed.equal == replayed.checked > 0},
        "shown": [_shown(with_features[place]) for place in places[:SHOWN]],
    }


def latency_seconds(answered: list[Asked]) -> dict[str, float]:
    """Percentiles of the round trips; empty without any."""
    if not answered:
        return {}
    seconds = np.array([each.seconds for each in answered])
    return {name: float(np.percentile(seconds, q)) for name, q in (("p50", 50), ("p90", 90), ("p99", 99))}


def freshness_seconds(answered: list[Asked]) -> dict[str, float]:
    """Per group, the median lag of the state behind `as_of`, and of its newest event (`age`); NaN is left out."""
    found: dict[str, list[float]] = {}
    for each in answered:
        for group, lag in each.answer["freshness_seconds"].items():
            found.setdefault(f"{group} behind", []).append(np.nan if lag is None else lag)
        for group, age in each.prediction["feature_age_seconds"].items():
            found.setdefault(f"{group} newest event", []).append(np.nan if age is None else age)
    return {name: float(np.nanmedian(values)) for name, values in found.items() if not np.isnan(values).all()}


def _shown(asked: Asked) -> Facts:
    return {
        "transaction_id": asked.transaction_id,
        "request": asked.body,
        "score": asked.score,
        "model": asked.answer["model"],
        "as_of_us": asked.answer["as_of_us"],
        "features": asked.features,
        "feature_age_seconds": asked.prediction["feature_age_seconds"],
        "receipt": asked.answer["receipt"],
    }


def write_json(path: Path, facts: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, indent=2) + "\n")
