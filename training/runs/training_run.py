"""A training run: the steps one after the other, each in its own directory, each saying what it did and how long."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from shared_features.kernel.event_time import to_datetime, to_us
from training.registry.versions import Registry
from training.runs.dataset_steps import make_dataset, validate_dataset
from training.runs.model_steps import certify_model, evaluate_models, export_model, fit_models
from training.runs.registry_steps import promote_model, publish_model
from training.runs.run_parameters import RunParameters
from training.settings import TrainingSettings

Report = Callable[[str, float, str], None]
"""Called after each step with its name, its seconds and its line."""

STEPS = ("dataset", "validate", "fit", "evaluate", "export", "certify", "publish", "promote")


def run_training(
    settings: TrainingSettings, parameters: RunParameters, report: Report, now_us: int, last: str = STEPS[-1]
) -> Path:
    """Run the steps up to `last`; returns the run's directory. What a step refuses is raised as a TrainingError."""
    runs = settings.training_runs / parameters.view.name
    run = _new_directory(runs, now_us)
    registry = Registry(settings.registry)
    actions: dict[str, Callable[[Path], str]] = {
        "dataset": lambda to: make_dataset(settings.lake, to_us(settings.allowed_lateness), parameters, to),
        "validate": lambda to: validate_dataset(run / "dataset", parameters, to),
        "fit": lambda to: fit_models(run / "dataset", parameters, to),
        "evaluate": lambda to: evaluate_models(run / "dataset", run / "fit", parameters, to),
        "export": lambda to: export_model(run / "fit", run / "evaluate", parameters, to),
        "certify": lambda to: certify_model(run, parameters, to),
        "publish": lambda to: publish_model(run, parameters, registry, now_us, to),
        "promote": lambda to: promote_model(run, parameters, registry, to),
    }
    for name in STEPS[: STEPS.index(last) + 1]:
        started = time.perf_counter()
        (run / name).mkdir()
        line = actions[name](run / name)
        report(name, time.perf_counter() - started, line)
    _forget_old(runs, settings.training_runs_kept)
    return run


def _new_directory(runs: Path, now_us: int) -> Path:
    runs.mkdir(parents=True, exist_ok=True)
    for name in _names(f"{to_datetime(now_us):%Y%m%dT%H%M%S}"):
        try:
            (runs / name).mkdir()
        except FileExistsError:
            continue
        return runs / name
    raise AssertionError("names do not end")


def _names(stem: str) -> Iterator[str]:
    yield stem
    number = 2
    while True:
        yield f"{stem}-{number}"
        number += 1


def _forget_old(runs: Path, kept: int) -> None:
    """Keep the newest runs only: their matrices are large, and can be built again."""
    for path in sorted(each for each in runs.iterdir() if each.is_dir())[:-kept]:
        shutil.rmtree(path, ignore_errors=True)
