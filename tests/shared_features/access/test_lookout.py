"""A lookout looks until it is stopped, and says a thing once as long as there is nothing else to say."""

from __future__ import annotations

import threading

from shared_features.access.lookout import Lookout

WITHIN_S = 60


class Seen(Lookout):
    def __init__(self, said: list[str]) -> None:
        super().__init__("seen", 0.001, said.append)
        self.looks, self.thread = 0, ""
        self.has_looked, self.goes_on = threading.Event(), threading.Event()

    def look(self) -> None:
        self.looks, self.thread = self.looks + 1, threading.current_thread().name
        self._say("the same" if self.looks < 3 else "another")
        if self.looks == 4:
            self.has_looked.set()
            self.goes_on.wait(WITHIN_S)


def test_it_looks_on_a_thread_of_its_own_until_it_is_stopped() -> None:
    said: list[str] = []
    lookout = Seen(said)
    assert lookout.looks == 0
    lookout.start()
    assert lookout.has_looked.wait(WITHIN_S)
    lookout.stop()
    (thread,) = [each for each in threading.enumerate() if each.name == "seen"]
    lookout.goes_on.set()
    thread.join(WITHIN_S)
    assert (lookout.looks, lookout.thread, thread.is_alive()) == (4, "seen", False)
    assert said == ["the same", "another"]
