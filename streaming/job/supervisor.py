"""The supervisor: starts each dataflow in its own processes, restarts a dataflow that ends, drains all when asked.

A dataflow may be several processes that form one Bytewax cluster. They live and end together: when one ends, its
peers would wait for it for ever. So the supervisor kills the peers and restarts the whole cluster.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from streaming.errors import EXIT_OK, EXIT_REFUSED, EXIT_RESTART
from streaming.job.child_process import ChildProcess
from streaming.job.restart_policy import RestartPolicy
from streaming.job.stopping import stop_requested, wait
from streaming.log import get_log

_LOOK_EVERY_S = 0.05
_TOLD_EVERY_S = 1.0
"""Where the kernel tells the end of a child, a look is only a precaution."""
_EXPECTED_WHEN_ASKED = (EXIT_OK, EXIT_RESTART, -signal.SIGTERM)
"""SIGTERM itself ends a child that was still importing. Such a child had nothing in flight."""


Command = tuple[Sequence[str], Mapping[str, str]]
"""The arguments of a process, and what is added to its environment."""


@dataclass(frozen=True)
class Part:
    """What is supervised as one: a name, and the commands of its processes. `commands` is called at each start."""

    name: str
    commands: Callable[[], Sequence[Command]]


@dataclass
class _Running:
    part: Part
    policy: RestartPolicy
    children: list[ChildProcess] = field(default_factory=list)
    start_at_s: float = 0.0


class Supervisor:
    """`run` returns when asked to stop (`stopping.install` comes first) and every child has ended."""

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        drain_s: float = 30.0,
        policy: Callable[[], RestartPolicy] = RestartPolicy,
    ) -> None:
        self._parts = [_Running(part, policy()) for part in parts]
        self._drain_s = drain_s
        self._log = get_log("supervisor")

    def run(self) -> int:
        """0 when every child ended within the drain time, 1 when one had to be killed."""
        try:
            while not stop_requested():
                for each in self._parts:
                    self._look_after(each)
                self._rest()
            return self._drain()
        finally:
            for each in self._parts:  # also when this process itself fails
                for child in each.children:
                    child.kill()

    def _rest(self) -> None:
        """Sleep until a child ends or is to be started, or this process is asked to stop."""
        children = [child for each in self._parts for child in each.children]
        ends = [descriptor for child in children for descriptor in child.ended]
        start_s = min((each.start_at_s for each in self._parts if not each.children), default=float("inf"))
        longest_s = _LOOK_EVERY_S if len(ends) < len(children) else _TOLD_EVERY_S
        wait(min(longest_s, max(0.0, start_s - time.monotonic())), ends)

    def _look_after(self, running: _Running) -> None:
        now = time.monotonic()
        if not running.children:
            if now >= running.start_at_s:
                running.children = [ChildProcess(*command) for command in running.part.commands()]
                pids = [child.pid for child in running.children]
                self._log.info("started", dataflow=running.part.name, pids=pids)
            return
        ended = [child.exit_code for child in running.children if child.exit_code is not None]
        if not ended:
            return
        lived_s = now - running.children[0].started_s
        for child in running.children:
            child.kill()
        running.children = []
        code = EXIT_RESTART if EXIT_RESTART in ended else next((each for each in ended if each), EXIT_OK)
        delay_s = running.policy.delay_after(code, lived_s)
        running.start_at_s = now + delay_s
        say = self._log.info if code in (EXIT_OK, EXIT_RESTART) else self._log.warning
        say(
            "restarting after an end",
            dataflow=running.part.name,
            exit_code=code,
            restart_in_s=round(delay_s, 2),
        )

    def _drain(self) -> int:
        children = [(each.part.name, child) for each in self._parts for child in each.children]
        self._log.info("draining", processes=len(children), at_most_s=self._drain_s)
        began_s = time.monotonic()
        for _, child in children:
            child.ask_to_stop()
        while any(child.exit_code is None for _, child in children) and time.monotonic() - began_s < self._drain_s:
            time.sleep(_LOOK_EVERY_S)
        in_time = True
        for name, child in children:
            if child.exit_code is None:
                in_time = False
                self._log.warning(
                    "killed, because it did not drain in time; uncommitted events are read again", dataflow=name
                )
                child.kill()
            elif child.exit_code not in _EXPECTED_WHEN_ASKED:
                self._log.warning("failed while draining", dataflow=name, exit_code=child.exit_code)
        self._log.info("stopped", seconds=round(time.monotonic() - began_s, 2))
        return EXIT_OK if in_time else EXIT_REFUSED
