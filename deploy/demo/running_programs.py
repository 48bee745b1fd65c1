"""The programs of a demo that run, and what went wrong with any of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from deploy.demo.errors import DemoError
from deploy.demo.stage.stage import Stage
from deploy.demo.traffic.live_feed import LiveFeed
from deploy.local.parts.programs import Program
from deploy.local.stack.interruption import Interruption


class RunningPrograms:
    """Starts programs on a stage, and watches them. `stack` ends them, in reverse."""

    def __init__(self, stage: Stage, interruption: Interruption, stack: ExitStack) -> None:
        self._stage, self._interruption, self._stack = stage, interruption, stack
        self._programs: list[Program] = []
        self._revived: list[Program] = []

    def start(self, name: str, arguments: Sequence[str], *, revived: bool = False) -> Program:
        """One that stays until the demo ends. revived: one that a signal ended, as `kill -9`, is started again."""
        program = Program(name, arguments, self._stage.environment, self._stage.run.log(name))
        self._stack.enter_context(program)
        (self._revived if revived else self._programs).append(program)
        return program

    def run(
        self,
        name: str,
        arguments: list[str],
        on_line: Callable[[str], None],
        feed: LiveFeed | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """One that ends by itself. Returns when it has; its lines go to `on_line`. settings: beside the stage's."""
        environment = {**self._stage.environment, **(settings or {})}
        with Program(name, arguments, environment, self._stage.run.log(name)) as program:
            program.run_to_end(on_line, lambda: self.check(feed))

    def status(self) -> Any:
        """What `python -m streaming status --json` writes."""
        lines: list[str] = []
        self.run("status", ["streaming", "status", "--json"], lines.append)
        try:
            return json.loads("\n".join(lines[next(at for at, line in enumerate(lines) if line[:1] in "{[") :]))
        except (StopIteration, ValueError) as error:
            raise DemoError(f"`python -m streaming status --json` wrote no JSON: {lines[-5:]}") from error

    def check(self, feed: LiveFeed | None = None) -> None:
        """Raise what went wrong, or what was asked for."""
        self._interruption.check()
        for program in self._programs:
            program.check()
        for program in list(self._revived):
            if program.exit_code is None or program.exit_code >= 0:
                program.check()
            else:
                self._revived.remove(program)
                self.start(program.name, program.arguments, revived=True)
        self._stage.check()
        if feed is not None:
            feed.check()
