"""The steps `publish` and `promote`: a certified model becomes a version, and perhaps the champion."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from shared_features.formats.dataset_manifest import DATASET_FILE, decode_dataset_manifest
from shared_features.formats.json_document import encode_document
from shared_features.formats.model_manifest import (
    CHAMPION,
    METRICS_FILE,
    MODEL_FILE,
    GraphCost,
    ModelManifest,
    Parity,
    stamp_view,
)
from shared_features.formats.training_run import DATASET_FOLDER
from training.durable_files import replace_file
from training.errors import CertificateError
from training.models.encoders import order_doubts
from training.models.graph.model_constants import INPUT_NAME
from training.registry.aliases import Aliases
from training.registry.gate.verdicts import keep_verdict, newer_refusal
from training.registry.model_card.model_card import write_model_card
from training.registry.model_card.model_facts import ModelFacts
from training.registry.registry_log import BY_RUN
from training.registry.versions import Registry
from training.runs.actions.gate_decision import decide_promotion
from training.runs.plan.run_context import RunContext
from training.runs.plan.run_parameters import RunParameters
from training.runs.records.run_folder import CURVES_FILE, LEAKS_FILE, read_json
from training.steps.code_digest import code_of
from training.steps.step import Task

_LIBRARIES = ("numpy", "onnx", "onnxruntime", "polars", "scikit-learn", "skl2onnx")


def publish_step(task: Task) -> str:
    context: RunContext = task.context
    registry = Registry(context.settings.registry)
    return publish_model(task.inputs, context.parameters, registry, context.began_at_us, task.output)


def promote_step(task: Task) -> str:
    context: RunContext = task.context
    return promote_model(task.inputs, context.parameters, Registry(context.settings.registry), task.output)


def publish_model(run: Path, parameters: RunParameters, registry: Registry, now_us: int, output: Path) -> str:
    """Publish model, manifest, metrics and dataset manifest as a version. Refuses without a passed certificate."""
    certificate = read_json(run / "certify" / "certificate.json")
    parity = msgspec.convert(certificate["parity"], Parity)
    if not parity.worst_difference <= parity.tolerance:
        raise CertificateError(
            f"the certificate says {parity.worst_difference:.3g}, more than {parity.tolerance:g}; nothing was published"
        )
    parity = replace(parity, served_values=read_json(run / "leaks" / LEAKS_FILE)["served_values"])
    file = run / DATASET_FOLDER / DATASET_FILE
    dataset = decode_dataset_manifest(file.read_bytes(), str(file))
    metrics = read_json(run / "evaluate" / METRICS_FILE)
    graph = (run / "export" / MODEL_FILE).read_bytes()
    manifest = ModelManifest(
        model=parameters.model_name,
        version=0,
        model_digest=hashlib.sha256(graph).hexdigest(),
        view=stamp_view(parameters.view),
        input_name=INPUT_NAME,
        output_name=parameters.rules.output_name,
        estimator=metrics["chosen"],
        libraries={name: importlib.metadata.version(name) for name in (*_LIBRARIES, *_boosting(parameters, metrics))},
        dataset_digest=dataset.digest,
        cut_us=dataset.cut_us,
        parity=parity,
        created_at_us=now_us,
        task=dataset.task,
        classes=dataset.classes,
        threshold=parameters.threshold,
        categories=dataset.categories,
        rows_share_runs=certificate["rows_share_runs"],
        encoders=certificate["encoders"],
        corrections=tuple(certificate["corrections"]),
        cost=msgspec.convert(certificate["cost"], GraphCost),
    )
    made_by = f"training run {output.parent.name}"
    validation = _read(run / "validate" / "validation.json")
    model_card = write_model_card(
        ModelFacts(
            manifest, dataset, metrics, parameters.floors,
            _read(run / "evaluate" / CURVES_FILE),
            validation.get("missing_share", {}),
            parameters.model.owner if parameters.model else "",
            parameters.model.description if parameters.model else "",
            made_by,
            validation.get("expectations", ()),
            order_doubts=tuple(order_doubts(parameters.encoders, dataset.categories)),
        )
    )  # fmt: skip
    published = registry.publish(
        manifest, graph, metrics, dataset, f"{BY_RUN} {output.parent.name}", model_card, lambda: _trees(graph, manifest)
    )
    replace_file(output / "published.json", encode_document({"model": manifest.model, "version": published.version}))
    said = "" if published.new else " (the same model was published before)"
    return f"{manifest.model} version {published.version}{said} at {published.where}"


def _trees(graph: bytes, manifest: ModelManifest) -> dict[str, bytes]:
    from training.inference.trees.published_trees import trees_file  # only here: it imports ONNX Runtime

    return trees_file(graph, manifest.input_name, manifest.output_name, len(manifest.view.features))


def _boosting(parameters: RunParameters, metrics: dict[str, Any]) -> list[str]:
    """The libraries of boosted trees that the chosen candidate's function reaches."""
    build = parameters.builds.get(metrics["chosen"])
    reached = frozenset() if build is None else code_of([f"{build.__module__}:{build.__qualname__}"]).libraries
    return sorted(reached & {"catboost", "lightgbm", "xgboost"})


def _read(file: Path) -> dict[str, Any]:
    """Empty where the run has no such file."""
    return read_json(file) if file.is_file() else {}


def promote_model(run: Path, parameters: RunParameters, registry: Registry, output: Path) -> str:
    """Move the alias champion to the published version, if the gate lets it.

    The decision is written down before it is carried out: a run that is killed in between carries out the same one.
    """
    file = output / "promotion.json"
    if not file.exists():
        replace_file(file, encode_document(decide_promotion(run, parameters, registry)))
    decided = read_json(file)
    keep_verdict(registry, decided, f"training run {output.parent.name}")
    return carry_out(decided, registry)


def carry_out(decided: Mapping[str, Any], registry: Registry) -> str:
    """Move the alias where `promotion.json` says so; what was done, in one line."""
    model, version, before = decided["model"], decided["version"], decided["champion_before"]
    reasons = "; ".join(decided["reasons"])
    if before == version:
        return f"version {version} is champion already"
    if not decided["promoted"]:
        return f"version {version} stays a challenger, {_called(before)}: {reasons}"
    if refusal := newer_refusal(registry, decided):
        return f"version {version} stays a challenger: {refusal}"
    champion = Aliases(registry).of(model).get(CHAMPION)
    if champion not in (before, version):
        return f"version {version} stays a challenger: {_called(champion)} by the time the alias was to be moved"
    Aliases(registry).promote(model, version, why=f"the gate: {reasons}")
    return f"version {version} is champion, before {_called(before)}: {reasons}"


def _called(champion: int | None) -> str:
    return "there was no champion" if champion is None else f"version {champion} was champion"
