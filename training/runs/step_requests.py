"""What a process of steps is asked, and what it answers: begin a run, do a step, end a run, and a few facts."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from shared_features.definitions import check_functions
from shared_features.errors import FeatureError
from training.runs.plan.batch_score import BATCH_SCORE, BatchScore
from training.runs.records.step_log import logged
from training.settings import TrainingSettings
from training.steps.step import Queue
from training.steps.transient import is_transient

if TYPE_CHECKING:
    from training.runs.plan.run_parameters import RunParameters

_LOG = structlog.get_logger(part="step worker")


def answer(settings: TrainingSettings, request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"result": _DOES[request["do"]](settings, request)}
    except FeatureError as error:
        return {"error": str(error), "transient": is_transient(error)}
    except Exception as error:
        if request["do"] != "step":  # a step has said it in its own log
            _LOG.exception("failed", request=request)
        return {"error": f"{type(error).__name__}: {error}", "transient": is_transient(error)}


def _begin(settings: TrainingSettings, request: Mapping[str, Any]) -> str:
    """Begin a run, unless a run of this name has begun; returns its folder."""
    origin = Path(request["fork"]["folder"]) if "fork" in request else None
    if request["template"] == BATCH_SCORE:
        return _begin_scoring(settings, request, origin)
    from training.runs.plan.fork import forked_data
    from training.runs.training_run import begin_run

    data = None if origin is None else forked_data(origin)
    return str(begin_run(settings, _parameters(settings, request), _now_us(), request["name"], data))


def _begin_scoring(settings: TrainingSettings, request: Mapping[str, Any], origin: Path | None) -> str:
    from training.runs.plan.templates import check_request
    from training.runs.scoring_run import begin_scoring

    asked = check_request(request["template"], request["parameters"])
    if not isinstance(asked, BatchScore):
        raise AssertionError("the template says which parameters it has")
    return str(begin_scoring(settings, asked, _now_us(), request["name"], origin))


def _plan(settings: TrainingSettings, request: Mapping[str, Any]) -> dict[str, list[str]]:
    """Each step of the run's pipeline, in its order, with the steps that it waits for."""
    from training.runs.training_run import steps_of_begun_run

    return {
        step.name: list(dict.fromkeys((*step.needs, *step.after)))
        for step in steps_of_begun_run(settings, Path(request["run"]))
    }


def _new_labels(settings: TrainingSettings, request: Mapping[str, Any]) -> int:
    """How many labels were stored since the last run of the model that succeeded."""
    from training.runs.plan.new_labels import count_new_labels

    asked = _parameters(settings, request)
    return count_new_labels(settings, asked.view, asked.defined_model)


def _new_partition(settings: TrainingSettings, request: Mapping[str, Any]) -> str:
    """The newest day or hour that was stored whole since the last run of the model that succeeded; empty: none."""
    from training.runs.plan.new_partition import new_partition

    asked = _parameters(settings, request)
    return new_partition(settings, asked.view, asked.defined_model, request["unit"])


def _parameters(settings: TrainingSettings, request: Mapping[str, Any]) -> RunParameters:
    from training.runs.plan.run_model import choose_model
    from training.runs.plan.run_parameters import RunParameters
    from training.runs.plan.templates import check_request

    asked = check_request(request["template"], request["parameters"])
    if isinstance(asked, BatchScore):
        raise AssertionError("only a retraining has the parameters of a run")
    view, model = choose_model(settings, asked.model, asked.view)
    check_functions(view)
    return RunParameters.from_plain(view, asked.plain(), model)


def _step(settings: TrainingSettings, request: Mapping[str, Any]) -> dict[str, Any]:
    from training.runs.training_run import perform_step

    run = Path(request["run"])
    with _alone(run, request["step"]), logged(run, request["step"]):
        _LOG.info("beginning", step=request["step"])
        try:
            entry = perform_step(settings, run, request["step"], request.get("queue"))
        except FeatureError as error:
            _LOG.error("stopped", step=request["step"], reason=str(error))
            raise
        except Exception:
            _LOG.exception("failed", step=request["step"])
            raise
        if isinstance(entry, Queue):
            _LOG.info("queued", step=request["step"], queue=entry.name)
            return _queued(settings, entry)
        _LOG.info("ended", step=request["step"], done=entry.done, seconds=round(entry.seconds, 3), said=entry.line)
    return {"done": entry.done, "line": entry.line, "seconds": entry.seconds, "reason": entry.reason, "key": entry.key}


def _queued(settings: TrainingSettings, queue: Queue) -> dict[str, Any]:
    """Which queue does the step, and what a worker must have."""
    from training.runs.plan.run_pipeline import code_of_pipelines

    code = code_of_pipelines(settings.definitions)
    return {"queue": queue.name, "waits_at_most_seconds": queue.waits_at_most_seconds, "code": code}


def _code(settings: TrainingSettings, request: Mapping[str, Any]) -> str:
    """The code of the pipelines that this process has."""
    from training.runs.plan.run_pipeline import code_of_pipelines

    return code_of_pipelines(settings.definitions)


def _end(settings: TrainingSettings, request: Mapping[str, Any]) -> dict[str, Any]:
    """Note the end; returns what is worth knowing of the run after its folder is gone."""
    from training.runs.records.run_summary import summarize
    from training.runs.scoring_run import end_scoring
    from training.runs.training_run import end_run

    run = Path(request["run"])
    summary = summarize(run)
    end_scoring(settings, run)
    end_run(settings, run, _now_us(), request["error"])
    return summary


@contextmanager
def _alone(run: Path, step: str) -> Iterator[None]:
    """Wait for a worker of a killed scheduler that is about to end. Other steps may be done at the same time."""
    if not run.is_dir():
        yield  # the step itself says that the run is gone
        return
    with (run / f"{step}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _now_us() -> int:
    return time.time_ns() // 1000


_DOES: dict[str, Callable[[TrainingSettings, Mapping[str, Any]], Any]] = {
    "begin": _begin,
    "plan": _plan,
    "step": _step,
    "code": _code,
    "end": _end,
    "new_labels": _new_labels,
    "new_partition": _new_partition,
}
