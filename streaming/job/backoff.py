"""Back-off: how long to wait after a failure. The waits double, up to a longest one."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from streaming.errors import StoppedWaiting
from streaming.job.stopping import wait

_CHANCE = random.Random()
_MOST_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class Backoff:
    """`first_s`, twice that, four times that, at most `longest_s`. After the first `at_once` failures there is no wait.

    Each wait is a random share of 1/2 to 1 of its length, so that many processes do not come back in step.
    """

    first_s: float
    longest_s: float
    at_once: int = 0

    def wait_s(self, failures: int, chance: random.Random = _CHANCE) -> float:
        """Seconds to wait after so many failures in a row."""
        if failures <= self.at_once:
            return 0.0
        doublings = min(failures - self.at_once - 1, _MOST_DOUBLINGS)
        return min(self.longest_s, self.first_s * 2.0**doublings) * chance.uniform(0.5, 1.0)


class Tries:
    """The tries of one action that fails as long as a server is unavailable.

    `stopped`: what StoppedWaiting says. `sleep`: how to wait; it returns whether the process was asked to stop.
    `while_stopping`: so many more tries are made after the process was asked to stop.
    """

    def __init__(
        self, backoff: Backoff, stopped: str, sleep: Callable[[float], bool] = wait, while_stopping: int = 0
    ) -> None:
        self._backoff, self._stopped = backoff, stopped
        self._sleep, self._while_stopping = sleep, while_stopping
        self.failed = 0

    def wait(self) -> None:
        """Call after a try that failed. Raises StoppedWaiting when the process was asked to stop."""
        self.failed += 1
        if self._sleep(self._backoff.wait_s(self.failed)) and self.failed > self._while_stopping:
            raise StoppedWaiting(self._stopped)
