"""When a process that ended is restarted: at once if it asked for a restart, else with a growing delay."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from streaming.errors import EXIT_OK, EXIT_RESTART
from streaming.job.backoff import Backoff

_AT_ONCE = (EXIT_OK, EXIT_RESTART)


@dataclass
class RestartPolicy:
    """The delays of one process, in seconds.

    The n-th end in a row waits as long as `Backoff` says. A process that lived `healthy_s` begins again with the
    shortest wait. An exit code that asks for a restart (75, or 0 of a child that a person stopped) has no wait,
    `at_once` times in a row.
    """

    first_s: float = 0.5
    longest_s: float = 60.0
    healthy_s: float = 60.0
    at_once: int = 3
    chance: random.Random = field(default_factory=random.Random)
    ends_in_a_row: int = field(default=0, init=False)
    asked_in_a_row: int = field(default=0, init=False)

    def delay_after(self, exit_code: int, lived_s: float) -> float:
        """Seconds until the next start of a process that ended like this."""
        if lived_s >= self.healthy_s:
            self.ends_in_a_row = self.asked_in_a_row = 0
        if exit_code in _AT_ONCE:
            self.asked_in_a_row += 1
            if self.asked_in_a_row <= self.at_once:
                return 0.0
        self.ends_in_a_row += 1
        return Backoff(self.first_s, self.longest_s).wait_s(self.ends_in_a_row, self.chance)
