"""The stage: a stack as `up` starts it, in the directory of this run. Its topics take history first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from deploy.demo.options import ROOT, DemoOptions
from deploy.demo.stage.retraining import retrain_each_minute
from deploy.demo.stage.run_directories import begin_run, forget_old
from deploy.demo.stage.topics import claim_topics, make_live
from deploy.embedded.ports import free_port
from deploy.local.commands.wanted import wanted_stack
from deploy.local.parts.programs import Program
from deploy.local.parts.running_parts import RunningParts
from deploy.local.stack.board import Board
from deploy.local.stack.stack_directory import StackDirectory
from deploy.local.stack.standing import Part
from shared_features.kernel.event_time import to_datetime
from streaming.settings import load_settings

DEFINITIONS = "shared_features.feature_views"
VIEW = "card_fraud"
SCHEDULER = "scheduler"


class Stage:
    """import_until_us: the history's end. told: hears of each part that changes. `exits` ends it, in reverse."""

    def __init__(
        self, options: DemoOptions, import_until_us: int, told: Callable[[Part], None], exits: ExitStack
    ) -> None:
        wanted, catalogue = wanted_stack(StackDirectory(options.runs), definitions=DEFINITIONS, kafka=options.kafka)
        self.directory = begin_run(options.runs)
        exits.enter_context(self.directory.locked())
        forget_old(options.runs)
        self.board = Board(self.directory, told)
        exits.enter_context(self.board.until_the_end())
        self._runs_port = free_port()
        own = {
            "MILLRACE_RUNS_PORT": str(self._runs_port),
            "MILLRACE_TRAINING_RUNS_KEPT": "10",  # one a minute, and each can be looked at for a while
        }
        self._topics = [source.topic for source in catalogue.sources]
        if wanted.kafka == "yours":
            claim_topics(load_settings(), self._topics)
        if wanted.kafka != "simulator":
            own |= {
                "MILLRACE_TOPIC_MODE": "import",
                "MILLRACE_IMPORT_UNTIL": to_datetime(import_until_us).isoformat(),
            }
        self.parts = RunningParts(self.directory, wanted, catalogue, self.board, exits, own)

    @property
    def needs_pacing(self) -> bool:
        """The simulator keeps little, so its producer must wait for the sinks."""
        return self.parts.remembered.kafka == "simulator"

    def go_live(self) -> None:
        """After the history: from now on a real broker stamps the records."""
        if self.parts.remembered.kafka != "simulator":
            make_live(str(self.parts.remembered.kafka_address), self._topics)

    @property
    def runs_url(self) -> str:
        """The page of training runs, where the demo stays up."""
        return f"http://127.0.0.1:{self._runs_port}"

    def schedule(self) -> Program:
        """Start the scheduler of training runs, which people are told to kill."""
        url = self.runs_url
        return self.parts.begin(SCHEDULER, ["training", "serve"], "no answer yet", revived=True, address=url)

    def scheduler_waits(self) -> str | None:
        """What it waits for before it has its schedule."""
        part = self.board.standing.part(SCHEDULER)
        return part.says if part is not None and part.state == "starting" else None

    def check(self) -> None:
        """Raise LocalError with what has failed."""
        self.parts.check()
        if self.scheduler_waits() and retrain_each_minute(self._runs_port):
            self.board.put(SCHEDULER, "up", "a retraining begins each minute")


def shown(path: Path) -> str:
    """A path as short as it can be from the project's directory."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
