"""`python -m training COMMAND`: wiring only. What a command needs is imported when it runs."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from shared_features.closed_pipe import ends_with_its_reader
from shared_features.errors import MillraceError
from training.command_line import build_parser
from training.dataset_commands import dataset, print_step
from training.errors import TrainingError
from training.log import configure_log
from training.settings import TrainingSettings, load_settings

if TYPE_CHECKING:
    from training.registry.versions import Registry
    from training.runs.plan.run_parameters import RunParameters


_REFUSED = 3
"""The exit code where the gate refuses a version, as that of `start --wait`."""


@ends_with_its_reader
def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 1 with one sentence on standard error."""
    options = build_parser().parse_args(arguments)
    try:
        settings = load_settings()
        configure_log(settings, for_a_person=options.command == "run")
        return _COMMANDS[options.command](settings, options)
    except MillraceError as error:
        print(f"training: {error}", file=sys.stderr)
        return 1


def _run(settings: TrainingSettings, options: argparse.Namespace) -> int:
    from training.runs.records.run_folder import read_json
    from training.runs.training_run import explain_run, run_training

    parameters = _parameters(settings, options)
    if options.explain:
        for each in explain_run(settings, parameters):
            print(f"{each.step:9} {each.verdict:8} {each.reason}")
        return 0
    path = run_training(settings, parameters, print_step, time.time_ns() // 1000)
    file = path / "promote" / "promotion.json"
    for line in _verdict(read_json(file)) if file.is_file() else ():
        print(line)
    print(f"the run's results are in {path}")
    return 0


def _verdict(promotion: Mapping[str, Any]) -> Iterator[str]:
    """What the gate asked, what it found, and whether that passed."""
    from training.facts import table_lines
    from training.registry.gate.check import verdict_of

    rows = [(each["asked"], each["found"], verdict_of(each)) for each in promotion.get("checks", [])]
    return table_lines("the gate", [("asked", "found", "verdict"), *rows] if rows else [])


def _dataset(settings: TrainingSettings, options: argparse.Namespace) -> int:
    return dataset(settings, options, partial(_parameters, settings, options))


def _audit(settings: TrainingSettings, options: argparse.Namespace) -> int:
    """Print what the audit of the prediction log, or of scores, found. Exit code 1 for a fault."""
    if options.scores:
        from training.inference.audit.scores.command import audit_view

        return audit_view(settings, options.view, options.show, truth=options.truth, new=options.new)
    if options.view is not None or options.new:
        raise TrainingError(
            "The prediction log is audited whole. Leave out --view and --new, or audit a view's scores: --scores."
        )
    from training.inference.audit.command import audit_log

    return audit_log(settings, options.show, options.truth)


def _leak_check(settings: TrainingSettings, options: argparse.Namespace) -> int:
    """Exit code 1 where there is a leak."""
    import json
    from dataclasses import replace

    from training.runs.leak_command import check_leaks

    parameters = replace(_parameters(settings, options), pipeline=options.pipeline)
    report = check_leaks(settings, parameters, options.rows, options.own, options.spine)
    print(json.dumps(report.plain, indent=2) if options.json else "\n".join(report.lines()))
    return 1 if report.leaks else 0


def _gap(settings: TrainingSettings, options: argparse.Namespace) -> int:
    import json

    from training.output_files import PAGE, check_output
    from training.runs.gap_command import check_options, report_gap

    if options.html is not None:
        check_output(options.html, PAGE)
    check_options(options)
    stood_still = tuple((start_us, end_us) for start_us, end_us in options.stood_still)
    parameters, lag_us = _parameters(settings, options), round(options.lag * 1e6)
    report = report_gap(settings, parameters, lag_us, stood_still, options.rows, options.fit)
    if options.html is not None:
        from training.durable_files import replace_file
        from training.proofs.gap.gap_page import write_gap_page

        replace_file(options.html, write_gap_page(report).encode())
    print(json.dumps(report.plain, indent=2) if options.json else "\n".join(report.lines()))
    return 0


def _scheduled(settings: TrainingSettings, options: argparse.Namespace) -> int:
    """Commands that need DBOS, which the others do not wait for."""
    try:
        if options.command in ("serve", "news"):
            from training.service.commands import COMMANDS
        else:
            from training.scheduler.commands.commands import COMMANDS
    except ModuleNotFoundError as error:
        raise TrainingError(
            f"`python -m training {options.command}` needs {error.name}. Install the extra `millrace[scheduler]`."
        ) from error
    return COMMANDS[options.command](settings, options)


def _models(settings: TrainingSettings, options: argparse.Namespace) -> int:
    from training.registry.version_list import list_versions, version_lines
    from training.registry.versions import Registry

    registry = Registry(settings.registry)
    models = registry.models()
    for line in version_lines(list_versions(registry)) if models else ():
        print(line)
    if not models:
        print(f"no model in {settings.registry} yet; `python -m training run` publishes one")
    return _print_defined(settings, models)


def _print_defined(settings: TrainingSettings, published: Sequence[str]) -> int:
    """The models that are defined, with what is known of them. Returns the exit code."""
    from training.runs.plan.run_model import defined_models

    for each in defined_models(settings):
        names = ", ".join(each.candidate_names) or "all candidates of the task"
        more = [f"owner {each.owner}"] if each.owner else []
        state = "" if each.name in published else "no version yet, "
        print(f"{each.name} is defined: {state}{', '.join([f'view {each.trained_on.label}', names, *more])}")
        if each.description:
            print(f"    {each.description}")
    return 0


def _check(settings: TrainingSettings, options: argparse.Namespace) -> int:
    """Build each candidate and export it on rows of noise, before there is any data."""
    from shared_features.definitions import check_functions, load_definitions
    from training.runs.model_check import check_model
    from training.runs.plan.run_model import defined_models

    catalogue = load_definitions(settings.definitions)
    models = defined_models(settings, catalogue)
    for view in catalogue.views:
        check_functions(view)
    faults = []
    for each in models:
        try:
            check_model(each)
        except TrainingError as error:
            faults.append(f"model {each.name}: {error}")
        else:
            print(f"model {each.name} of view {each.trained_on.label}: its candidates can be built and exported")
    if faults:
        raise TrainingError("\n".join(faults))
    print(f"{len(catalogue.views)} views and {len(models)} models are in order")
    return 0


def _publish(settings: TrainingSettings, options: argparse.Namespace) -> int:
    """Exit code 3 where the version was to become champion and the gate refuses it."""
    from training.registry.versions import Registry
    from training.runs.actions.registry_steps import carry_out
    from training.runs.foreign_model import publish_foreign
    from training.runs.plan.run_model import choose_model
    from training.runs.plan.run_parameters import RunParameters

    view, model = choose_model(settings, options.model, options.view)
    asked = {"floors": dict(options.floor), "gate_tolerance": options.gate_tolerance}
    parameters, registry = RunParameters(view, model=model, **asked), Registry(settings.registry)
    files = (options.onnx, options.expected, options.dataset)
    found = publish_foreign(settings, parameters, registry, *files, options.output, time.time_ns() // 1000)
    name, version = parameters.model_name, found.published.version
    known = "" if found.published.new else " (the same model was published before)"
    print(f"parity passed: worst difference {found.worst:.2g} from what is expected")
    print(f"{name} version {version}{known} at {found.published.where}")
    if found.unproven:
        print(f"the view was not proven: {found.unproven}")
    for line in _verdict(found.promotion):
        print(line)
    if options.promote or found.promotion["champion_before"] == version:
        print(carry_out(found.promotion, registry))
        return 0 if found.promotion["promoted"] else _REFUSED
    verdict = "it may become champion" if found.promotion["promoted"] else "it stays a challenger"
    print(f"the gate: {verdict}. Nothing is promoted; with `publish --promote` the alias follows the gate")
    print(f"`python -m training promote {version} --model {name}` lets it answer, whatever the gate says")
    return 0


def _promote(settings: TrainingSettings, options: argparse.Namespace) -> int:
    options.model = options.model or _chosen(settings, options)
    options.alias, options.verb, options.json = options.alias or "champion", "promote", False
    return _registry(settings, options)


def _predict(settings: TrainingSettings, options: argparse.Namespace) -> int:
    from training.inference.commands import predict

    return predict(settings, options)


def _keys(settings: TrainingSettings, options: argparse.Namespace) -> int:
    from shared_features.access.key_commands import do_with_keys

    return do_with_keys(options, settings.api_keys_file)


def _registry(settings: TrainingSettings, options: argparse.Namespace) -> int:
    from training.registry.commands import look_at_registry
    from training.registry.versions import Registry

    if "uri" in options:
        options.uri = options.uri or settings.mlflow
    return look_at_registry(Registry(settings.registry), options, {"republish": _republish})


def _republish(registry: Registry, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from training.runs.republication import republish_version  # only here: it imports ONNX Runtime

    return republish_version(registry, options)


def _chosen(settings: TrainingSettings, options: argparse.Namespace) -> str:
    """The name of the model that is meant."""
    from training.runs.plan.run_model import choose_model

    view, model = choose_model(settings, None, options.view)
    return view.name if model is None else model.name


def _parameters(settings: TrainingSettings, options: argparse.Namespace) -> RunParameters:
    from shared_features.definitions import check_functions
    from shared_features.formats.dataset_manifest import DatasetParameters
    from training.runs.plan.run_model import choose_model
    from training.runs.plan.run_parameters import RunParameters

    dataset = DatasetParameters(
        options.cutoff, options.train_days, options.delay_days, options.test_days, options.entity, options.seed,
        options.train_from, options.train_to, options.test_from, options.test_to,
    )  # fmt: skip
    view, model = choose_model(settings, options.model, options.view)
    check_functions(view)  # now, and not after the minutes of the first steps
    if "models" not in options:
        return RunParameters(view, dataset, model=model)
    floors, tolerance = dict(options.floor), options.gate_tolerance
    steps: dict[str, dict[str, Any]] = {}
    for step, name, value in options.set:
        steps.setdefault(step, {})[name] = value
    return RunParameters(
        view, dataset, options.models, options.top, floors=floors, gate_tolerance=tolerance,
        pipeline=options.pipeline, steps=steps, model=model,
    )  # fmt: skip


_COMMANDS: dict[str, Callable[[TrainingSettings, argparse.Namespace], int]] = {
    "run": _run,
    "dataset": _dataset,
    "leak-check": _leak_check,
    "gap": _gap,
    "models": _models,
    "check": _check,
    "promote": _promote,
    "publish": _publish,
    "registry": _registry,
    "predict": _predict,
    "audit": _audit,
    "keys": _keys,
    **dict.fromkeys(("serve", "work", "start", "runs", "cancel", "resume", "schedule", "news"), _scheduled),
}


if __name__ == "__main__":
    sys.exit(main())
