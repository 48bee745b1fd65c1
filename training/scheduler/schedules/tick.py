"""A tick of a schedule: the moment at which it may start a run, and why it may not.

DBOS gives each tick one id, so with several schedulers there is one tick, and the run that it starts has its id. Of
ticks that were missed (`missed_ticks`) the newest starts a run, and stands for those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from dbos import DBOS

from shared_features.arguments import did_you_mean
from training.errors import RequestError
from training.runs.plan.step_names import RETRAIN
from training.runs.plan.templates import check_request
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.cron import is_second_time, next_tick
from training.scheduler.workflow.retried_step import retried
from training.scheduler.workflow.step_process import StepProcess

TICK_WORKFLOW = "tick"
SINCE = "since"
"""Beside a schedule: the instant from which its ticks count, at which it was put, changed or resumed."""
STARTED = "started run "
"""The beginning of what a tick says that started a run."""
_LOG = structlog.get_logger(part="scheduler")
_LIMIT_S = 300.0
UNITS = ("day", "hour")
Ask = Callable[[dict[str, Any]], Any]
"""Asks what `step_requests` answers."""


@dataclass(frozen=True)
class Schedule:
    """new_labels: start a run only if at least so many labels arrived since the last run that succeeded; 0: always.

    new_partition: start a run only if a `day` or an `hour` with events has ended since then; empty: always.
    """

    name: str
    template: str
    parameters: dict[str, Any]
    cron: str
    time_zone: str = "UTC"
    new_labels: int = 0
    new_partition: str = ""

    @property
    def waits_for(self) -> str:
        """What it waits for at a tick, to be said after its cron line; empty: nothing."""
        labels = f", after {self.new_labels:,} new labels" if self.new_labels else ""
        return labels + (f", after a new {self.new_partition}" if self.new_partition else "")


def schedule_of(context: Mapping[str, Any]) -> Schedule:
    """The schedule in what DBOS keeps of one."""
    return Schedule(**{name: value for name, value in context.items() if name != SINCE})


class Ticks:
    """The ticks of this process. ask: what is stored."""

    def __init__(self, runs: Runs, ask: Ask, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._runs, self._ask, self._clock = runs, ask, clock

    def register(self) -> None:
        """Make the workflow known to DBOS. Before it is launched."""

        @DBOS.workflow(name=TICK_WORKFLOW)
        def tick(scheduled_at: datetime, context: dict[str, Any]) -> str:
            schedule = schedule_of(context)
            said = DBOS.run_step(retried("decide"), self._decide, schedule, scheduled_at)
            if not said:
                said = STARTED + DBOS.run_step({"name": "start"}, self._start, schedule, scheduled_at)
            _LOG.info("ticked", schedule=schedule.name, tick=scheduled_at.isoformat(), outcome=said)
            return said

    def _decide(self, schedule: Schedule, scheduled_at: datetime) -> str:
        """Why the tick starts no run; empty: it starts one."""
        if is_second_time(schedule.cron, schedule.time_zone, scheduled_at):
            return "skipped: this hour occurs twice, and the first tick of this time has fired"
        if (later := next_tick(schedule.cron, schedule.time_zone, scheduled_at)) <= self._clock():
            return f"skipped: it was missed, and the tick of {later.isoformat()} stands for it"
        if waiting := self._runs.queued(schedule.template, schedule.parameters):
            return f"skipped: run {waiting} of the same template waits already, and will read the newest data"
        return self._lacks_data(schedule)

    def _lacks_data(self, schedule: Schedule) -> str:
        """What the schedule waits for that is not stored yet; empty: all of it is."""
        asked = {"template": schedule.template, "parameters": schedule.parameters}
        if schedule.new_labels:
            found = int(self._ask({"do": "new_labels", **asked}))
            if found < schedule.new_labels:
                return f"skipped: {found} new labels, fewer than {schedule.new_labels}"
        if (unit := schedule.new_partition) and not self._ask({"do": "new_partition", "unit": unit, **asked}):
            return f"skipped: no {unit} with events has ended, and is stored whole, since the last run that succeeded"
        return ""

    def _start(self, schedule: Schedule, scheduled_at: datetime) -> str:
        run_id = f"{schedule.name}-{scheduled_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        return self._runs.start(schedule.template, schedule.parameters, run_id, f"schedule {schedule.name}")


def ask_steps(request: dict[str, Any]) -> Any:
    """Asks the process of steps, so that the scheduler at rest reads no tables itself."""
    with StepProcess(lambda: None) as process:
        return process.ask(request, _LIMIT_S)


def checked(schedule: Schedule) -> dict[str, Any]:
    """The schedule as plain data. Raises RequestError for a name, template or parameter that cannot be."""
    if not schedule.name or not schedule.name.replace("-", "_").isidentifier():
        raise RequestError(f"{schedule.name!r} is not a name of a schedule. Use letters, digits, - and _.", "$.name")
    if schedule.new_labels < 0:
        raise RequestError(
            f"{schedule.new_labels} new labels cannot be asked for. Give 1 or more, or leave it out.", "$.new_labels"
        )
    if schedule.new_partition not in ("", *UNITS):
        raise RequestError(
            f"{schedule.new_partition!r} is not a partition of the tables. Give {' or '.join(UNITS)}, or leave it out."
            f"{did_you_mean(schedule.new_partition, UNITS)}",
            "$.new_partition",
        )
    check_request(schedule.template, schedule.parameters)
    if schedule.waits_for and schedule.template != RETRAIN:
        raise RequestError(
            f"New labels and new partitions are those since the last retraining, and {schedule.template!r} is "
            "scheduled. Leave them out.",
            "$.new_labels" if schedule.new_labels else "$.new_partition",
        )
    return asdict(schedule)
