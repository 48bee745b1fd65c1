"""A step in a queue is done once, by a worker with the same code, or fails and says why. Nothing waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS

from training.errors import StepFailedError, TransientStepError
from training.scheduler import worker as worker_module
from training.scheduler.database import create_database
from training.scheduler.worker import WorkerSteps, working
from training.scheduler.worker_files import Worker, living
from training.scheduler.workflow.queued_steps import QueuedStep, QueuedSteps
from training.settings import TrainingSettings, load_settings

PATIENCE_S = 60.0


@dataclass
class Played:
    """What the processes of the worker answer. hold: the step is not done yet."""

    hold: threading.Event = field(default_factory=threading.Event)
    asked: list[dict[str, Any]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    code: str = "c1"


class PlayedProcess:
    played: Played

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look

    def ask(self, request: dict[str, Any], limit_s: float) -> Any:
        if request["do"] == "code":
            return self.played.code
        self.played.asked.append(request)
        while not self.played.hold.wait(0.05):
            self._look()
        if self.played.errors:
            raise self.played.errors.pop(0)
        return {"done": "run", "line": f"{request['step']} is done"}

    def __enter__(self) -> PlayedProcess:
        return self

    def __exit__(self, *error: object) -> None:
        pass


@dataclass
class Place:
    """A database and a folder that a scheduler and its workers share."""

    settings: TrainingSettings
    queued: QueuedSteps
    played: Played
    threads: ThreadPoolExecutor
    cancelled: threading.Event = field(default_factory=threading.Event)

    def ask(self, step: str = "fit", limit_s: float = 60.0, waits_s: float = 60.0, code: str = "c1") -> Future[Any]:
        request = {"do": "step", "run": "/of/the/scheduler/view/run", "step": step}
        wanted = {"queue": "gpu", "code": code, "waits_at_most_seconds": waits_s}
        return self.threads.submit(self.queued.perform, "one", request, wanted, limit_s, self._look)

    def _look(self) -> None:
        if self.cancelled.is_set():
            raise RuntimeError("the run was cancelled")

    @contextmanager
    def worker(self, worker_id: str = "host-1", code: str = "c1") -> Iterator[WorkerSteps]:
        """A worker in this process."""
        me = Worker(worker_id, ("gpu",), code)
        with living(self.settings.training_runs, me), working(self.settings, me, None) as steps:
            try:
                yield steps
            finally:
                DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=1)

    def stands(self) -> QueuedStep | None:
        return self.queued.of_run("one").get("fit")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path))
    settings, played = load_settings(), Played()
    PlayedProcess.played = played
    monkeypatch.setattr(worker_module, "StepProcess", PlayedProcess)
    (tmp_path / "view" / "run").mkdir(parents=True)
    (tmp_path / "view" / "run" / "run.json").write_text("{}")
    queued = QueuedSteps(create_database(settings), tmp_path, patient=True, look_s=0.1)
    with ThreadPoolExecutor() as threads:
        yield Place(settings, queued, played, threads)
        played.hold.set()
    queued.close()


def wait(until: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_waits_for_a_worker_with_the_same_code_is_done_there_and_says_where_it_stands(place: Place) -> None:
    asked = place.ask()
    wait(place.stands)
    stands = place.stands()
    assert stands is not None
    assert stands.describe().startswith("waits for a worker of queue gpu since 20")
    assert place.queued.active() == [stands]
    with place.worker("host-1", code="c2") as other:
        wait(lambda: place.queued.active()[0].others == 1)
        assert place.queued.active()[0].describe().endswith("; 1 of its workers have other code of the pipelines")
        other.tell_left()
        time.sleep(1.5)  # it looks at its queue every second
    assert place.played.asked == []
    with place.worker("host-2"):
        wait(lambda: place.played.asked)
        stands = place.stands()
        assert stands is not None
        assert stands.describe().startswith("done by worker host-2 of queue gpu since 20")
        assert [each.worker for each in place.queued.active()] == ["host-2"]
        assert [each.id for each in place.queued.workers()] == ["host-2"]
        again = place.ask()  # a scheduler that was killed asks again, and waits for the same worker
        place.played.hold.set()
        assert asked.result(PATIENCE_S) == again.result(PATIENCE_S) == {"done": "run", "line": "fit is done"}
        assert place.ask().result(PATIENCE_S) == {"done": "run", "line": "fit is done"}
    folder = str(place.settings.training_runs / "view/run")
    assert place.played.asked == [{"do": "step", "run": folder, "step": "fit", "queue": "gpu"}]
    assert place.stands() is None


def test_an_error_is_that_of_the_step_and_one_that_may_pass_is_tried_again(place: Place) -> None:
    place.played.hold.set()
    place.played.errors = [TransientStepError("away"), StepFailedError("no memory")]
    with place.worker():
        with pytest.raises(TransientStepError, match="away"):
            place.ask().result(PATIENCE_S)
        for _ in range(2):  # the second asks for what has ended
            with pytest.raises(StepFailedError, match=r"^no memory$"):
                place.ask().result(PATIENCE_S)
    assert len(place.played.asked) == 2


def test_a_queue_without_a_worker_fails_the_step_after_its_time_and_says_what_to_do(place: Place) -> None:
    said = (
        r"step 'fit' waited 0 s for a worker of queue 'gpu', and none took it. Start one with `python -m training work "
        r"--queue gpu`, or raise waits_at_most_seconds"
    )
    with pytest.raises(StepFailedError, match=said):
        place.ask(waits_s=0.3).result(PATIENCE_S)
    assert place.stands() is None, "it was taken out of the queue"
    with (
        living(place.settings.training_runs, Worker("host-1", ("gpu",), "c2")),
        pytest.raises(StepFailedError, match="1 of its workers have other code of the pipelines"),
    ):
        place.ask(waits_s=0.3).result(PATIENCE_S)


def test_the_step_of_a_worker_that_is_gone_is_tried_again_and_the_old_one_counts_for_nothing(place: Place) -> None:
    with place.worker() as gone:
        asked = place.ask()
        wait(lambda: place.played.asked)
        (place.settings.training_runs / "worker-host-1.lock").unlink()
        with pytest.raises(TransientStepError, match="worker host-1 ended in the middle of step 'fit' of run one"):
            asked.result(PATIENCE_S)
        assert place.stands() is None
        gone.give_back()
        assert place.stands() is None
        place.played.hold.set()
    with place.worker("host-2"):
        assert place.ask().result(PATIENCE_S) == {"done": "run", "line": "fit is done"}


def test_a_cancelled_run_takes_its_step_from_the_worker(place: Place) -> None:
    with place.worker():
        asked = place.ask()
        wait(lambda: place.played.asked)
        place.cancelled.set()
        with pytest.raises(RuntimeError, match="the run was cancelled"):
            asked.result(PATIENCE_S)
        assert place.stands() is None
        wait(lambda: not DBOS.list_workflows(status="PENDING"))


def test_what_a_stopped_worker_has_not_done_goes_back_to_the_queue(place: Place) -> None:
    asked = place.ask()
    with place.worker() as stopped:
        wait(lambda: place.played.asked)
        stopped.give_back()
        stands = place.stands()
        assert stands is not None
        assert stands.worker is None
    place.played.hold.set()
    with place.worker("host-2"):
        assert asked.result(PATIENCE_S) == {"done": "run", "line": "fit is done"}


def test_a_worker_without_the_folder_of_the_run_says_so(place: Place) -> None:
    (place.settings.training_runs / "view" / "run" / "run.json").unlink()
    with (
        place.worker(),
        pytest.raises(
            TransientStepError,
            match=r"worker host-1 does not see the run: there is no .*view/run/run.json on its machine. Let",
        ),
    ):
        place.ask().result(PATIENCE_S)
    assert place.played.asked == []


def test_a_worker_whose_definitions_changed_does_not_do_the_step(place: Place) -> None:
    place.played.code = "c2"
    place.ask(waits_s=5.0)
    with place.worker() as changed:
        assert changed.changed.wait(PATIENCE_S)
        changed.give_back()
        stands = place.stands()
        assert stands is not None
        assert stands.worker is None
    assert place.played.asked == []
