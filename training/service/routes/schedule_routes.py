"""The paths of schedules: list, put, remove, pause, resume."""

from __future__ import annotations

from fastapi import APIRouter

from training.errors import UnknownNameError
from training.scheduler.schedules.schedules import Schedules
from training.scheduler.schedules.tick import Schedule
from training.service.routes.answers import ScheduleAnswer, schedule_answer
from training.service.routes.request_bodies import ScheduleBody


def schedule_router(schedules: Schedules) -> APIRouter:
    router = APIRouter(prefix="/v1/schedules", tags=["schedules"])

    @router.get("", summary="The schedules, with the next tick of each")
    def every() -> list[ScheduleAnswer]:
        return [schedule_answer(each) for each in schedules.all()]

    @router.put("/{name}", summary="Add a schedule, or replace it")
    def put(name: str, body: ScheduleBody) -> ScheduleAnswer:
        """A cron line that never fires, and a time zone or a template that does not exist, are refused."""
        when = (body.cron, body.time_zone, body.new_labels, body.new_partition)
        schedules.put(Schedule(name, body.template, body.parameters, *when))
        return _one(name)

    @router.delete("/{name}", status_code=204, summary="Remove a schedule")
    def remove(name: str) -> None:
        schedules.remove(name)

    @router.post("/{name}/pause", summary="Pause a schedule")
    def pause(name: str) -> ScheduleAnswer:
        schedules.pause(name)
        return _one(name)

    @router.post("/{name}/resume", summary="Resume a schedule")
    def resume(name: str) -> ScheduleAnswer:
        """The ticks of the pause are not made up."""
        schedules.resume(name)
        return _one(name)

    def _one(name: str) -> ScheduleAnswer:
        for each in schedules.all():
            if each.schedule.name == name:
                return schedule_answer(each)
        raise UnknownNameError(f"There is no schedule {name!r} any more.")

    return router
