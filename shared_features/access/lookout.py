"""A lookout: looks at what may change, on a thread of its own, and tells when there is something new to say.

So no request waits for a file system that hangs, or for a server.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable


class Lookout(ABC):
    """name: of its thread. every_s: seconds between two looks. tell: gets a sentence for the log."""

    def __init__(self, name: str, every_s: float, tell: Callable[[str], None]) -> None:
        self._name, self._every_s, self._tell = name, every_s, tell
        self._told = ""
        self._ends = threading.Event()

    def start(self) -> None:
        """Look from now on."""
        threading.Thread(target=self._watch, name=self._name, daemon=True).start()

    def stop(self) -> None:
        """Look no longer."""
        self._ends.set()

    @abstractmethod
    def look(self) -> None:
        """Look once. Raises nothing."""

    def _say(self, what: str) -> None:
        """Tell it, unless it was told last."""
        if what != self._told:
            self._told = what
            self._tell(what)

    def _watch(self) -> None:
        while not self._ends.wait(self._every_s):
            self.look()
