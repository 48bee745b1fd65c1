"""A training run: its folder, from its first step to its last, and which runs are kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import structlog

from shared_features.errors import FeatureError
from shared_features.kernel.event_time import to_datetime, to_us
from training.errors import StepError
from training.runs.plan.data_version import DataVersion, pin_data
from training.runs.plan.run_context import RunContext, context_of
from training.runs.plan.run_parameters import RunParameters
from training.runs.plan.run_pipeline import check_queues, steps_of_run
from training.runs.records.mlflow_run import tell_mlflow
from training.settings import TrainingSettings
from training.steps.result_store import ResultStore
from training.steps.run_journal import (
    FAILED,
    SUCCEEDED,
    StepEntry,
    alone_among,
    has_begun,
    hold,
    journals,
    may_be_held,
    next_number,
    read_journal,
    write_journal,
)
from training.steps.step import Queue, Step
from training.steps.step_runner import Explanation, StepRunner

Report = Callable[[str, StepEntry], None]
"""Called after each step with its name and what became of it."""
_UNFINISHED_KEPT = 20
_LOG = structlog.get_logger(part="run")


def run_training(
    settings: TrainingSettings, parameters: RunParameters, report: Report, now_us: int, last: str | None = None
) -> Path:
    """Run the steps up to `last`; returns the run's directory. What a step refuses is raised as a TrainingError."""
    names = [step.name for step in steps_of_run(settings.definitions, parameters)]
    run = begin_run(settings, parameters, now_us)
    try:
        for name in names[: names.index(last) + 1] if last else names:
            entry = perform_step(settings, run, name)
            if isinstance(entry, StepEntry):  # `begin_run` has refused the others
                report(name, entry)
    except FeatureError as error:
        end_run(settings, run, now_us, str(error))
        raise
    end_run(settings, run, now_us)
    return run


def begin_run(
    settings: TrainingSettings,
    parameters: RunParameters,
    now_us: int,
    name: str | None = None,
    data: DataVersion | None = None,
) -> Path:
    """Pin the data and make the run's folder. With a name: a run of this name that has begun is returned as it is.

    data: what is read; None: the newest.
    """
    runs = settings.training_runs / parameters.view.name
    if name is not None and has_begun(runs / name):
        return runs / name
    # What is wrong with the steps is said before anything is done.
    check_queues(settings, steps_of_run(settings.definitions, parameters), durable=name is not None)
    data = data or pin_data(settings.lake, parameters.view, to_us(settings.allowed_lateness))
    journal = RunContext(settings, parameters, data, now_us).begin()
    try:
        runs.mkdir(parents=True, exist_ok=True)
        with alone_among(runs):
            run = _new_directory(runs, now_us) if name is None else runs / name
            run.mkdir(exist_ok=True)
            if not has_begun(run):
                write_journal(run, replace(journal, number=next_number(runs)))
    except OSError as error:
        raise StepError(f"the run cannot begin in {runs}: {error}. Mend it, then start the run again.") from error
    return run


def steps_of_begun_run(settings: TrainingSettings, run: Path) -> tuple[Step, ...]:
    """The steps of a run that has begun, in their order."""
    return steps_of_run(settings.definitions, context_of(settings, read_journal(run)).parameters)


def perform_step(settings: TrainingSettings, run: Path, name: str, queue: str | None = None) -> StepEntry | Queue:
    """Do one step of a run that has begun, by this process or by another one. queue: that of a worker's process.

    A step of another queue is only done here where that is to find its result; otherwise its queue is returned.
    """
    hold(run)
    context = context_of(settings, read_journal(run))
    runner = _runner(context, run)
    target = runner.target(name)
    if isinstance(target, Queue) and target.name != queue:
        return runner.skip(name) or target
    return runner.perform(name, context)


def end_run(settings: TrainingSettings, run: Path, now_us: int, error: str = "") -> None:
    """Note the end in the run's journal, and forget old runs with the results that only they used.

    Raises StepError where the journal cannot be written; not after an error, which is the one to hear of.
    """
    try:
        journal = read_journal(run)
    except StepError:
        return  # an erasure removed it
    try:
        write_journal(run, replace(journal, status=FAILED if error else SUCCEEDED, ended_at_us=now_us, error=error))
    except StepError as unwritten:
        if not error:
            raise
        _LOG.error("the end of a run that failed is not in its journal", run=str(run), error=str(unwritten))
        return  # what made it fail is what its caller says
    tell_mlflow(settings, run)
    _forget_old(run.parent, settings.training_runs_kept)
    ResultStore(settings.training_runs).forget()


def explain_run(settings: TrainingSettings, parameters: RunParameters) -> Iterator[Explanation]:
    """What a run would do with each step, if it began now. Nothing is written."""
    data = pin_data(settings.lake, parameters.view, to_us(settings.allowed_lateness))
    context = RunContext(settings, parameters, data, 0)
    return _runner(context, settings.training_runs / parameters.view.name / "a run to come").explain()


def _runner(context: RunContext, run: Path) -> StepRunner:
    steps = steps_of_run(context.settings.definitions, context.parameters)
    return StepRunner(ResultStore(context.settings.training_runs), steps, run, context.facts)


def _new_directory(runs: Path, now_us: int) -> Path:
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
    """Keep the runs that began last, and those that have not ended: a process does them, or may continue them.

    One that nobody does any more is kept until enough others have begun after it. No clock decides: it may step. The
    newest of each model that succeeded is kept however many failed after it: schedules count from its cut what is new.
    """
    with alone_among(runs):
        found = journals(runs)
        succeeded = {each.asked.get("model", ""): run for run, each in reversed(found) if each.status == SUCCEEDED}
        keep = {*(run for run, _ in found[:kept]), *succeeded.values()}
        for place, (run, journal) in enumerate(found):
            if journal.ended_at_us is None and (place < _UNFINISHED_KEPT or may_be_held(run)):
                keep.add(run)
        for path in [each for each in runs.iterdir() if each.is_dir() and each not in keep]:
            shutil.rmtree(path, ignore_errors=True)
