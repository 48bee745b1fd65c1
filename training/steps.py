"""The steps of a training run, in their order: plain functions of (inputs, parameters, output directory).

    dataset -> validate -> fit -> evaluate -> export -> certify -> publish -> promote

Each reads what earlier steps left in their directories, leaves its own results in its directory, and returns one line
that says what it did. All but the last two depend on their inputs alone; publish and promote are effects, idempotent.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import pickle
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from shared_features.definitions import FeatureView
from shared_features.errors import FeatureError
from shared_features.formats.model_manifest import (
    CHAMPION,
    METRICS_FILE,
    MODEL_FILE,
    ModelManifest,
    Parity,
    check_manifest,
    stamp_view,
)
from training import certificate
from training.dataset_builder import DatasetParameters, SampledInputs, build_dataset, erased_since
from training.durable_files import json_bytes
from training.errors import DatasetError
from training.evaluation import candidate_rows, evaluate_scores
from training.gate import DEFAULT_FLOORS, DEFAULT_TOLERANCE, decide
from training.model import CANDIDATES, fit_model, scores
from training.offline_store import OfflineStore
from training.on_demand_parity import count_on_demand_cases
from training.onnx_export import INPUT_NAME, OUTPUT_NAME, export_onnx, open_session, run_session
from training.point_in_time import pin_view
from training.registry import Registry
from training.time_split import TEST, TRAIN
from training.training_dataset import TrainingDataset, load_dataset

_INPUTS_FILE = "sampled_inputs.pickle"
_LIBRARIES = ("numpy", "onnx", "onnxruntime", "polars", "scikit-learn", "skl2onnx")


@dataclass(frozen=True)
class RunParameters:
    """What a run is asked for, beside the dataset's parameters. k: entities looked at per day."""

    view: FeatureView
    dataset: DatasetParameters = field(default_factory=DatasetParameters)
    models: tuple[str, ...] = tuple(CANDIDATES)
    k: int = 100
    parity_tolerance: float = certificate.TOLERANCE
    floors: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_FLOORS))
    gate_tolerance: float = DEFAULT_TOLERANCE

    @property
    def seed(self) -> int:
        return self.dataset.seed


def make_dataset(lake: Path, lateness_us: int, parameters: RunParameters, output: Path) -> str:
    """Pin the tables, build the dataset and save it."""
    pinned = pin_view(OfflineStore(lake), parameters.view, lateness_us)
    dataset, inputs = build_dataset(pinned, parameters.dataset)
    dataset.save(output)
    (output / _INPUTS_FILE).write_bytes(pickle.dumps(inputs))
    if tables := erased_since(pinned):
        # What is saved from now on, the erasure no longer sees.
        shutil.rmtree(output)
        raise DatasetError(f"entities were erased from {', '.join(tables)} while it was built; start the run again")
    rows = dataset.description["rows"]
    parts = ", ".join(f"{name} {rows[name]['labelled']:,} ({rows[name]['positive']:,} positive)" for name in _WINDOWS)
    unknown = sum(rows[name]["unknown_label_left_out"] for name in _WINDOWS)
    return (
        f"{len(dataset):,} rows x {len(dataset.features)} features: {parts}; left out {unknown:,} without known label, "
        f"{rows['copies_left_out']:,} copies; digest {dataset.digest[:16]}"
    )


_WINDOWS = ("train", "gap", "test")


def validate_dataset(dataset_directory: Path, parameters: RunParameters, output: Path) -> str:
    """Refuse a dataset nothing can be learned from or tested on, and note features without values."""
    dataset = load_dataset(dataset_directory)
    for name, window in (("train", TRAIN), ("test", TEST)):
        found = np.unique(dataset.label[dataset.rows(window)])
        if not np.isin(found, (0.0, 1.0)).all():
            raise DatasetError(f"labels of the {name} window are {found[:5].tolist()}; a classifier takes 0 and 1 only")
        if len(found) < 2:
            what = f"labels of one class only ({found[0]:g})" if len(found) else "no labelled rows"
            raise DatasetError(
                f"the {name} window holds {what}: give a larger --{name}-days, a smaller --delay-days, or stream more"
            )
    train = dataset.matrix[dataset.rows(TRAIN)]
    missing = {name: float(np.isnan(train[:, at]).mean()) for at, name in enumerate(dataset.features)}
    infinite = {name: int(np.isinf(train[:, at]).sum()) for at, name in enumerate(dataset.features)}
    report = {"missing_share": missing, "infinite": {name: count for name, count in infinite.items() if count}}
    (output / "validation.json").write_bytes(json_bytes(report))
    empty = [name for name, share in missing.items() if share == 1.0]
    note = f"; without any value: {', '.join(empty)}" if empty else ""
    return f"both classes in both windows; {np.mean(list(missing.values())):.1%} of values missing{note}"


def fit_models(dataset_directory: Path, parameters: RunParameters, output: Path) -> str:
    """Fit every candidate on the train window."""
    dataset = load_dataset(dataset_directory)
    rows = dataset.rows(TRAIN)
    matrix, label = np.asarray(dataset.matrix[rows]), dataset.label[rows]
    said = []
    for name in parameters.models:
        pipeline, notes = fit_model(name, matrix, label, parameters.seed)
        _model_file(output, name).write_bytes(pickle.dumps(pipeline))
        said.append(" ".join([name, *(f"({note})" for note in notes)]))
    return f"{len(rows):,} rows: {', '.join(said)}"


def _model_file(directory: Path, name: str) -> Path:
    return directory / f"{name}.pickle"


def evaluate_models(dataset_directory: Path, fit_directory: Path, parameters: RunParameters, output: Path) -> str:
    """Measure every candidate on the test window and choose the one of best average precision."""
    dataset = load_dataset(dataset_directory)
    rows = dataset.rows(TEST)
    matrix = np.asarray(dataset.matrix[rows])
    metrics = {
        name: evaluate_scores(dataset, scores(_load(_model_file(fit_directory, name)), matrix), parameters.k)
        for name in parameters.models
    }
    chosen = max(parameters.models, key=lambda name: metrics[name]["average_precision"])
    report = {
        "chosen": chosen,
        "chosen_by": "average_precision",
        "models": metrics,
        "rows": len(rows),
        "positive": int((dataset.label[rows] > 0).sum()),
        "candidates": len(candidate_rows(dataset)[0]),
        "k": parameters.k,
        "entity": dataset.description["entity"],
    }
    (output / METRICS_FILE).write_bytes(json_bytes(report))
    return f"{len(rows):,} test rows; " + "; ".join(f"{name}: {format_metrics(metrics[name])}" for name in metrics)


def format_metrics(metrics: Mapping[str, Any]) -> str:
    """The chief metrics in a few words."""
    shown = {name: value for name, value in metrics.items() if isinstance(value, float) and "_of_" not in name}
    return ", ".join(f"{name} {value:.4f}" for name, value in shown.items())


def export_model(fit_directory: Path, evaluate_directory: Path, parameters: RunParameters, output: Path) -> str:
    """Export the chosen model."""
    chosen = _read(evaluate_directory / METRICS_FILE)["chosen"]
    pipeline = _load(_model_file(fit_directory, chosen))
    graph = export_onnx(pipeline, len(parameters.view.columns))
    (output / MODEL_FILE).write_bytes(graph)
    return f"{chosen} as ONNX, {len(graph):,} bytes, sha256 {hashlib.sha256(graph).hexdigest()[:16]}"


def certify_model(run: Path, parameters: RunParameters, output: Path) -> str:
    """Certify the exported model; raises CertificateError, so that a failed certificate ends the run here."""
    dataset = load_dataset(run / "dataset")
    inputs: SampledInputs = _load(run / "dataset" / _INPUTS_FILE)
    chosen = _read(run / "evaluate" / METRICS_FILE)["chosen"]
    on_demand = count_on_demand_cases(parameters.view, inputs, parameters.seed)
    found = certificate.certify(
        _load(_model_file(run / "fit", chosen)),
        (run / "export" / MODEL_FILE).read_bytes(),
        np.asarray(dataset.matrix[dataset.rows(TEST)]),
        on_demand,
        parameters.seed,
        parameters.parity_tolerance,
    )
    kinds = {kind: {"rows": rows, "worst_difference": worst} for kind, (rows, worst) in found.kinds.items()}
    (output / "certificate.json").write_bytes(json_bytes({"parity": asdict(found.parity), "kinds": kinds}))
    certificate.require_pass(found)
    return f"parity {found.describe()}"


def publish_model(run: Path, parameters: RunParameters, registry: Registry, now_us: int, output: Path) -> str:
    """Publish model, manifest, metrics and dataset description as a version. Refuses without a passed certificate."""
    parity = Parity(**_read(run / "certify" / "certificate.json")["parity"])
    certificate.require_pass(certificate.Certificate(parity, {"all": (parity.cases, parity.worst_difference)}))
    dataset = _read(run / "dataset" / "dataset.json")
    metrics = _read(run / "evaluate" / METRICS_FILE)
    graph = (run / "export" / MODEL_FILE).read_bytes()
    manifest = ModelManifest(
        model=parameters.view.name,
        version=0,
        model_digest=hashlib.sha256(graph).hexdigest(),
        view=stamp_view(parameters.view),
        input_name=INPUT_NAME,
        output_name=OUTPUT_NAME,
        estimator=metrics["chosen"],
        libraries={name: importlib.metadata.version(name) for name in _LIBRARIES},
        dataset_digest=dataset["digest"],
        cut_us=dataset["cut_us"],
        parity=parity,
        created_at_us=now_us,
    )
    published = registry.publish(manifest, graph, metrics, dataset)
    (output / "published.json").write_bytes(json_bytes({"model": manifest.model, "version": published.version}))
    said = "" if published.new else " (the same model was published before)"
    return f"{manifest.model} version {published.version}{said} at {published.path}"


def promote_model(run: Path, parameters: RunParameters, registry: Registry, output: Path) -> str:
    """Move the alias champion to the published version, if the gate lets it."""
    published = _read(run / "publish" / "published.json")
    model, version = published["model"], published["version"]
    metrics = _read(run / "evaluate" / METRICS_FILE)
    champion = registry.aliases(model).get(CHAMPION)
    theirs, basis = None, ""
    if champion is not None and champion != version:
        theirs, basis = _champion_metrics(registry, model, champion, load_dataset(run / "dataset"), parameters)
    ours = metrics["models"][metrics["chosen"]]
    decision = decide(ours, theirs, parameters.floors, parameters.gate_tolerance, basis)
    promoted = champion == version or decision.promote
    report = {"version": version, "champion_before": champion, "promoted": promoted, "reasons": list(decision.reasons)}
    (output / "promotion.json").write_bytes(json_bytes(report))
    if champion == version:
        return f"version {version} is champion already"
    if not promoted:
        return f"version {version} stays a challenger, {_called(champion)}: {'; '.join(decision.reasons)}"
    registry.promote(model, version)
    return f"version {version} is champion, before {_called(champion)}: {'; '.join(decision.reasons)}"


def _called(champion: int | None) -> str:
    return "there was none" if champion is None else f"version {champion} was champion"


def _champion_metrics(
    registry: Registry, model: str, version: int, dataset: TrainingDataset, parameters: RunParameters
) -> tuple[dict[str, Any], str]:
    """The champion's metrics over this run's test rows; its own published ones where it wants other features."""
    path = registry.path(model, version)
    try:
        check_manifest(registry.manifest(model, version), parameters.view)
    except FeatureError:
        found = _read(path / METRICS_FILE)
        return found["models"][found["chosen"]], "on its own test window, since it was trained on another view"
    rows = np.asarray(dataset.matrix[dataset.rows(TEST)])
    score = run_session(open_session((path / MODEL_FILE).read_bytes()), rows)
    return evaluate_scores(dataset, score, parameters.k), "on the same rows"


def _load(path: Path) -> Any:
    return pickle.loads(path.read_bytes())


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found
