"""The commands of `python -m training` that need a database of runs."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from training.errors import RequestError
from training.scheduler.commands.run_commands import look_at_runs, show_run
from training.scheduler.news.news import EXIT_CODES, GATE_REFUSED, RUN_FAILED
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.schedules import Schedules, ScheduleState
from training.scheduler.schedules.tick import Schedule
from training.scheduler.workflow.run_states import ENDED, SUCCEEDED
from training.settings import TrainingSettings

_LOOK_S = 0.5


def start(settings: TrainingSettings, options: argparse.Namespace) -> int:
    with Runs(settings) as runs:
        given = dict(map(_parameter, options.parameters))
        if options.unless_waiting:
            run_id = runs.trigger(options.template, given, options.reason, options.id)
        else:
            run_id = runs.start(options.template, given, options.id, options.reason)
        _say(run_id)
        if not options.wait:
            return 0
        while (status := runs.status(run_id)) not in ENDED:
            time.sleep(_LOOK_S)
        run = runs.show(run_id)
    show_run(run)
    if run.summary.get("promoted") is False:
        _say(f"the gate refused version {run.summary['version']}: {'; '.join(run.summary['reasons'])}")
        return EXIT_CODES[GATE_REFUSED]
    return 0 if status == SUCCEEDED else EXIT_CODES[RUN_FAILED]


def work(settings: TrainingSettings, options: argparse.Namespace) -> int:
    # Imported here: no other command does steps itself.
    from training.scheduler.worker import work as work_until_signal

    return work_until_signal(settings, options.queues, options.concurrency, options.grace)


def cancel(settings: TrainingSettings, options: argparse.Namespace) -> int:
    with Runs(settings) as runs:
        runs.cancel(options.id)
    return 0


def resume(settings: TrainingSettings, options: argparse.Namespace) -> int:
    with Runs(settings) as runs:
        _say(runs.resume(options.id))
    return 0


def schedules(settings: TrainingSettings, options: argparse.Namespace) -> int:
    with Runs(settings) as runs:
        found = Schedules(runs.client)
        if options.verb == "list":
            for each in found.all():
                _show_schedule(each)
            return 0
        if options.name is None:
            raise RequestError(f"`schedule {options.verb}` needs the name of a schedule. Give it behind the verb.")
        if options.verb == "put":
            given = dict(map(_parameter, options.parameters))
            when = (options.cron, options.time_zone, options.new_labels, options.new_partition)
            found.put(Schedule(options.name, options.template, given, *when))
        else:
            {"remove": found.remove, "pause": found.pause, "resume": found.resume}[options.verb](options.name)
    return 0


def _show_schedule(state: ScheduleState) -> None:
    schedule = state.schedule
    given = " ".join(f"{name}={json.dumps(value)}" for name, value in schedule.parameters.items())
    following = "paused" if state.next_tick is None else f"next {state.next_tick.isoformat()}"
    said = f"  last tick {state.said}" if state.said else ""
    _say(
        f"{schedule.name}  {schedule.cron} {schedule.time_zone}{schedule.waits_for}  {schedule.template} {given}  "
        f"{following}{said}"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parameter(text: str) -> tuple[str, Any]:
    """`name=value`; a value that is not JSON is a text."""
    name, given, value = text.partition("=")
    if not given:
        raise RequestError(f"{text!r} is not a parameter. Give NAME=VALUE, such as top=50.")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


COMMANDS: dict[str, Callable[[TrainingSettings, argparse.Namespace], int]] = {
    "start": start,
    "runs": look_at_runs,
    "cancel": cancel,
    "resume": resume,
    "schedule": schedules,
    "work": work,
}
