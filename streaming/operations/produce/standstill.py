"""A standstill: the stream job stores nothing of what is sent. What is said of it, and why it lasts."""

from __future__ import annotations

import time
from collections.abc import Callable

from shared_features.compilation.compile_turn import compiling
from streaming.operations.saying import say

COMPILES_S = 2.0
"""A job that has its kernel may need about as long for a commit, while another program compiles one."""
NOTHING_MOVES_S = 30.0


class Standstill:
    """Says once that the kernel is compiled, and once that nothing is stored for no reason that is known here.

    Whether it is compiled is what the lock of the compilation says: the process that compiles holds it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, tell: Callable[[str], None] = say) -> None:
        self._clock, self._tell = clock, tell
        self._since_s = clock()
        self._said: set[str] = set()

    def ends(self) -> None:
        """Something was stored, or is only expected from now on."""
        self._since_s = self._clock()

    def lasts(self) -> None:
        """Nothing was stored since the last look."""
        stood_s = self._clock() - self._since_s
        if stood_s < COMPILES_S:
            return
        if (holder := compiling()) is not None:
            self._say(
                "compiled",
                f"waiting: another process compiles the kernel ({holder}), about 2 minutes on two free cores. The "
                "stream job stores nothing before it has one",
            )
            self._since_s = self._clock() - COMPILES_S  # what follows is counted from the end of the compilation
        elif stood_s > NOTHING_MOVES_S:
            self._say(
                "stands",
                f"waiting: the stream job has stored nothing for {NOTHING_MOVES_S:g} s, and the log holds no more. "
                "Nobody compiles the kernel. `status` (./run status, millrace status) says what the job does",
            )

    def _say(self, what: str, line: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self._tell(line)
