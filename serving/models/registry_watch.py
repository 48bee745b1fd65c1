"""The thread that looks at the registry: nobody waits for it, so a registry on a share that hangs stops nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from serving.log import get_log

_LOOK_WHILE_WAITING_S = 1.0
_FIRST_WITHIN_S, _LOOK_AT_FIRST_S = 3.0, 0.1
_ANSWERS_WITHIN_S, _SILENT_AFTER_S, _ENDS_WITHIN_S = 15.0, 10.0, 2.0


class RegistryWatch:
    """Looks at first and then every poll_s; more often while `waits` says so. Both are called by the thread."""

    def __init__(self, look: Callable[[], None], waits: Callable[[], bool], poll_s: float) -> None:
        self._look, self._waits, self._poll_s = look, waits, poll_s
        self._since_s: float | None = None
        self._stop, self._looked = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="model registry", daemon=True)
        self._log = get_log("serving.models")

    def start(self) -> None:
        """Returns when it has looked and nothing waits any more, or when that takes too long."""
        self._thread.start()
        if not self._looked.wait(_ANSWERS_WITHIN_S):
            self._log.warning("starting without the model registry, which does not answer")

    def stop(self) -> None:
        """End the thread; or leave it, where the registry keeps it from ending."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_ENDS_WITHIN_S)
        if self._thread.is_alive():
            self._log.warning("leaving the model registry, which does not answer")

    def silence(self) -> str:
        """That the registry does not answer, as a sentence; empty where it does."""
        since_s = self._since_s
        silent_s = 0.0 if since_s is None else time.monotonic() - since_s
        if silent_s < _SILENT_AFTER_S:
            return ""
        return f"The model registry has not answered for {silent_s:.0f} s. See whether its disk or share answers."

    def _run(self) -> None:
        until_s = time.monotonic() + _FIRST_WITHIN_S
        self._timed()
        while self._waits() and time.monotonic() < until_s and not self._stop.wait(_LOOK_AT_FIRST_S):
            self._timed()
        self._looked.set()
        while not self._stop.wait(min(self._poll_s, _LOOK_WHILE_WAITING_S) if self._waits() else self._poll_s):
            self._timed()

    def _timed(self) -> None:
        self._since_s = time.monotonic()
        self._look()
        self._since_s = None
