"""A training run: its folder, from its first step to its last, and which runs are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import structlog

from shared_features.errors import FeatureError
from shared_features.kernel.event_time import to_us
from training.errors import StepError
from training.runs.plan.any_context import any_context
from training.runs.plan.data_version import DataVersion, pin_data
from training.runs.plan.run_context import RunContext
from training.runs.plan.run_parameters import RunParameters
from training.runs.plan.run_pipeline import check_queues, steps_of_run
from training.runs.plan.scoring_context import ScoringContext
from training.runs.plan.step_names import RETRAIN
from training.runs.records.mlflow_run import tell_mlflow
from training.runs.records.run_folders import begin_folder, forget_old
from training.runs.records.run_trace import tell_traces
from training.settings import TrainingSettings
from training.steps.result_store import ResultStore
from training.steps.run_journal import FAILED, SUCCEEDED, StepEntry, has_begun, hold, read_journal, write_journal
from training.steps.step import Queue, Step
from training.steps.step_runner import Explanation, StepRunner

Report = Callable[[str, StepEntry], None]
"""Called after each step with its name and what became of it."""
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
    return begin_folder(runs, journal, now_us, name)


def steps_of_begun_run(settings: TrainingSettings, run: Path) -> tuple[Step, ...]:
    """The steps of a run that has begun, in their order."""
    return any_context(settings, read_journal(run)).steps


def perform_step(settings: TrainingSettings, run: Path, name: str, queue: str | None = None) -> StepEntry | Queue:
    """Do one step of a run that has begun, by this process or by another one. queue: that of a worker's process.

    A step of another queue is only done here where that is to find its result; otherwise its queue is returned.
    """
    hold(run)
    context = any_context(settings, read_journal(run))
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
    tell_traces(settings, run, lambda: [step.name for step in steps_of_begun_run(settings, run)])
    if journal.template == RETRAIN:
        tell_mlflow(settings, run)
    forget_old(run.parent, settings.training_runs_kept)
    ResultStore(settings.training_runs).forget()


def explain_run(settings: TrainingSettings, parameters: RunParameters) -> Iterator[Explanation]:
    """What a run would do with each step, if it began now. Nothing is written."""
    data = pin_data(settings.lake, parameters.view, to_us(settings.allowed_lateness))
    context = RunContext(settings, parameters, data, 0)
    return _runner(context, settings.training_runs / parameters.view.name / "a run to come").explain()


def _runner(context: RunContext | ScoringContext, run: Path) -> StepRunner:
    return StepRunner(ResultStore(context.settings.training_runs), context.steps, run, context.facts)
