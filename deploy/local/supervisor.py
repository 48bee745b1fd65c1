"""The supervisor of a stack: starts the parts in their order, watches them, and ends them in reverse."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from deploy.local.parts.edited_module import EditedModule
from deploy.local.parts.first_models import FirstModels
from deploy.local.parts.programs import Program
from deploy.local.parts.readiness import OnlineStoreLook, endpoint
from deploy.local.parts.running_parts import SERVING, STREAM, TRAINING, RunningParts
from deploy.local.parts.servers import KAFKA, REDIS
from deploy.local.parts.stream_rest import StreamRest
from deploy.local.parts.unread_records import wait_until_read
from deploy.local.respondent import Respondent
from deploy.local.stack.board import Board
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from deploy.local.stack.standing import Part
from shared_features.counted import counted
from shared_features.definitions import Catalogue
from streaming.job.programs import programs_of
from streaming.operations.check.kept_definitions import KeptDefinitions
from streaming.settings import load_settings

EDITS = "edits"
_LOOK_EVERY_S = 0.5


class Supervisor:
    """One life of a stack, from `run` until a signal. `told` hears of each part that changes."""

    def __init__(
        self,
        directory: StackDirectory,
        remembered: Remembered,
        catalogue: Catalogue,
        interruption: Interruption,
        told: Callable[[Part], None],
    ) -> None:
        self._directory, self._remembered, self._catalogue = directory, remembered, catalogue
        self._interruption = interruption
        self._module = EditedModule(remembered.definitions, remembered.import_path)
        self._board = Board(directory, told)

    def run(self, ready: Callable[[], None]) -> None:
        """Start everything, call `ready` when it is, and watch. Raises what ended it: Interrupted, or an error."""
        with self._board.until_the_end(), ExitStack() as exits:
            exits.callback(lambda: self._board.phase("stopping"))
            self._start(exits)
            try:
                self._watch(ready)
            finally:
                self._drain()

    def _start(self, exits: ExitStack) -> None:
        self._parts = RunningParts(self._directory, self._remembered, self._catalogue, self._board, exits)
        self._remembered, self._settings = self._parts.remembered, self._parts.settings
        self._parts.compile_kernel(self._interruption)
        self._stream = self._parts.begin(STREAM, ["streaming", "run"], "loading, then building its shards")
        self._parts.begin(SERVING, ["serving"], "loading", address=self._remembered.serving_url)
        unrest = StreamRest(self._settings, self._catalogue)
        self._models = FirstModels(
            self._catalogue,
            self._directory.lake,
            self._directory.registry,
            self._directory.runs,
            self._train,
            unrest,
            self._settings.answering_models,
        )
        exits.callback(self._end_training)
        self._store = OnlineStoreLook(self._settings, self._catalogue)
        self._respondent = Respondent(self._directory, self._settings, self._catalogue)

    def _train(self, arguments: Sequence[str]) -> Program:
        self._directory.log(TRAINING).unlink(missing_ok=True)  # its last lines say why a run ended: of this run
        return self._parts.program(TRAINING, ["training", *arguments])

    def _end_training(self) -> None:
        if self._models.program is not None:
            self._models.program.stop()

    def _watch(self, ready: Callable[[], None]) -> None:
        while True:
            self._interruption.check()
            self._parts.note_failures()
            self._look_at_stream()
            self._look_at_serving()
            self._look_at_training()
            self._look_at_definitions()
            if self._board.standing.phase == "starting":
                self._be_ready(ready)
            else:
                self._respondent.step()
            time.sleep(_LOOK_EVERY_S)

    def _look_at_stream(self) -> None:
        if self._board.state(STREAM) == "failed" or self._board.state(REDIS) == "failed":
            return
        shards = self._store.shards()
        if shards is None:
            return
        live, wanted = shards
        if live == wanted:
            programs = ", ".join(programs_of(scores=bool(load_settings().score_topics)))
            self._board.put(STREAM, "up", f"{programs}; {counted(wanted, 'shard')} live")
        elif self._board.state(STREAM) == "up" or live:
            self._board.put(STREAM, "waiting", f"{live} of {counted(wanted, 'shard')} live; the others are being built")

    def _look_at_serving(self) -> None:
        if self._board.state(SERVING) == "failed":
            return
        answers, missing = endpoint(int(self._remembered.serving_port or 0))
        if answers and not missing:
            self._board.put(SERVING, "up", "predicts; its documentation is at /docs")
        elif answers:
            self._board.put(SERVING, "waiting", self._serving_waits_for(missing))
        elif self._board.state(SERVING) == "up":
            self._board.put(SERVING, "waiting", "gives no answer just now")

    def _serving_waits_for(self, missing: Sequence[str]) -> str:
        """In a stack some of it is not the person's business: who starts what is settled."""
        if self._board.state(STREAM) != "up":
            return "waits for the stream job"
        if lacking := self._models.lacking():
            return f"waits for a first model of {', '.join(view.name for view in lacking)}"
        return "; ".join(missing)

    def _look_at_training(self) -> None:
        if self._board.state(STREAM) in (None, "starting"):
            return
        says = self._models.step()
        program = self._models.program
        pid, log = (None, None) if program is None else (program.pid, program.log)
        if says is None:
            self._board.put(TRAINING, "up", self._models.settled(), pid=None)
        else:
            self._board.put(TRAINING, "up" if program else "waiting", says, pid=pid, **({"log": log} if log else {}))

    def _look_at_definitions(self) -> None:
        """Programs keep what they loaded: an edited module counts from the next `up`."""
        module = self._remembered.definitions
        if files := self._module.edited():
            self._board.put(
                EDITS,
                "waiting",
                f"{', '.join(files)} edited since `up`; `millrace up` says what this changes in {module}",
            )
        elif self._board.state(EDITS) is not None:
            self._board.put(EDITS, "up", f"{module} is again as it was at the start")

    def _be_ready(self, ready: Callable[[], None]) -> None:
        states = {name: self._board.state(name) for name in (KAFKA, REDIS, STREAM, SERVING, TRAINING)}
        self._parts.check()
        if states[STREAM] == "up" and states[SERVING] in ("up", "waiting") and states[TRAINING] is not None:
            self._respondent.answer()
            self._directory.keep_definitions(KeptDefinitions.of(self._catalogue))
            self._board.phase("ready")
            ready()

    def _drain(self) -> None:
        """What only the simulator holds would be lost: wait until Redis and the lake have it."""
        self._board.phase("stopping")
        if self._remembered.kafka != "simulator" or self._stream.exit_code is not None:
            return
        left = wait_until_read(self._settings, lambda: self._stream.exit_code is not None)
        if left:
            self._board.put(KAFKA, "up", f"not taken by every sink, gone with the simulator: {counted(left, 'record')}")
