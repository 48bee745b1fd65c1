"""The command line of training: `python -m training run | dataset | models | promote`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from shared_features.definitions import FeatureView, load_definitions
from shared_features.errors import FeatureError
from shared_features.formats.model_manifest import CHAMPION
from shared_features.kernel.event_time import to_datetime, to_us
from training.errors import TrainingError
from training.log import configure_log
from training.registry import Registry
from training.settings import TrainingSettings, describe_settings, load_settings

if TYPE_CHECKING:
    from training.steps import RunParameters


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 1 with one sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        configure_log(settings)
        return int(options.command(settings, options))
    except FeatureError as error:
        print(f"training: {error}", file=sys.stderr)
        return 1


def _run(settings: TrainingSettings, options: argparse.Namespace) -> int:
    from training.training_run import run_training

    parameters = _parameters(settings, options)
    path = run_training(settings, parameters, _print_step, time.time_ns() // 1000)
    print(f"the run's results are in {path}")
    return 0


def _dataset(settings: TrainingSettings, options: argparse.Namespace) -> int:
    from training.training_dataset import load_dataset
    from training.training_run import run_training

    path = run_training(settings, _parameters(settings, options), _print_step, time.time_ns() // 1000, last="dataset")
    if options.output is not None:
        load_dataset(path / "dataset").to_pandas().to_parquet(options.output)
        print(f"the dataset as one table is in {options.output}")
    print(f"the dataset is in {path / 'dataset'}")
    return 0


def _models(settings: TrainingSettings, options: argparse.Namespace) -> int:
    registry = Registry(settings.registry)
    models = registry.models()
    for model in models:
        aliases = registry.aliases(model)
        for version in registry.versions(model):
            manifest = registry.manifest(model, version)
            names = ", ".join(name for name, number in aliases.items() if number == version)
            created = f"{to_datetime(manifest.created_at_us):%Y-%m-%d %H:%M} UTC"
            print(f"{model} {version:>4}  {manifest.estimator:24} {created}  {manifest.model_digest[:12]}  {names}")
    if not models:
        print(f"no model in {settings.registry} yet; `python -m training run` publishes one")
    return 0


def _promote(settings: TrainingSettings, options: argparse.Namespace) -> int:
    registry = Registry(settings.registry)
    model = _view(settings, options.view).name
    before = registry.promote(model, options.version, options.alias)
    print(f"{options.alias} of {model} is version {options.version}" + (f", before {before}" if before else ""))
    return 0


def _print_step(name: str, seconds: float, line: str) -> None:
    print(f"{name:9} {seconds:7.2f} s  {line}", flush=True)


def _view(settings: TrainingSettings, name: str | None) -> FeatureView:
    catalogue = load_definitions(settings.definitions)
    if name is not None:
        return catalogue.view(name)
    names = sorted({view.name for view in catalogue.views})
    if len(names) != 1:
        raise TrainingError(f"definitions {settings.definitions!r} hold the views {names}; choose one by --view")
    return catalogue.view(names[0])


def _parameters(settings: TrainingSettings, options: argparse.Namespace) -> RunParameters:
    from training.dataset_builder import DatasetParameters
    from training.steps import RunParameters

    dataset = DatasetParameters(
        options.cutoff, options.train_days, options.delay_days, options.test_days, options.entity, options.seed
    )
    parameters = RunParameters(_view(settings, options.view), dataset)
    if "models" not in options:
        return parameters
    floors = {**parameters.floors, **dict(options.floor)}
    return RunParameters(
        parameters.view, dataset, options.models, options.top, floors=floors, gate_tolerance=options.gate_tolerance
    )


def _instant(text: str) -> int:
    try:
        return to_us(datetime.fromisoformat(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: give an RFC 3339 time such as 2026-01-31T00:00:00Z") from error


def _days(text: str) -> float:
    days = float(text)
    if not 0 <= days <= 36_500:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number of days, 0 or more")
    return days


def _floor(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in ("roc_auc", "average_precision"):
        raise argparse.ArgumentTypeError(f"{text!r}: give roc_auc=NUMBER or average_precision=NUMBER")
    return name, float(value)


def _models_option(text: str) -> tuple[str, ...]:
    known = ("hist_gradient_boosting", "random_forest", "logistic_regression")
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if unknown := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(f"{unknown} are no models; give some of {','.join(known)}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train on what the stream stored, certify, publish.",
        epilog=describe_settings(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="all steps, from the dataset to the registry")
    dataset = commands.add_parser("dataset", help="build the training dataset only")
    for each in (run, dataset):
        each.add_argument("--view", help="feature view; may be left out where there is one")
        each.add_argument("--cutoff", type=_instant, metavar="TIME", help="labels that arrived later are unknown")
        each.add_argument("--train-days", type=_days, metavar="N", help="default: what there is, at most 21")
        each.add_argument("--delay-days", type=_days, metavar="N", help="gap before the test; default: label delay")
        each.add_argument("--test-days", type=_days, metavar="N", help="default: 7, less where history is short")
        each.add_argument("--entity", help="whose precision is measured; default: that of the first group")
        each.add_argument("--seed", type=int, default=0)
    run.add_argument("--models", type=_models_option, metavar="A,B", help="candidates; default: all three")
    run.add_argument("--top", type=int, default=100, metavar="K", help="entities looked at per day (100)")
    run.add_argument("--floor", type=_floor, action="append", default=[], metavar="METRIC=N", help="least metric")
    run.add_argument("--gate-tolerance", type=float, default=0.01, help="average precision a challenger may lack")
    run.set_defaults(command=_run, models=_models_option("hist_gradient_boosting,random_forest,logistic_regression"))
    dataset.add_argument("--output", type=Path, metavar="FILE.parquet", help="write it as one table too")
    dataset.set_defaults(command=_dataset)
    commands.add_parser("models", help="what the registry holds").set_defaults(command=_models)
    promote = commands.add_parser("promote", help="let an alias name a version")
    promote.add_argument("version", type=int)
    promote.add_argument("--view", help="feature view, which is the model's name")
    promote.add_argument("--alias", default=CHAMPION)
    promote.set_defaults(command=_promote)
    return parser


if __name__ == "__main__":
    sys.exit(main())
