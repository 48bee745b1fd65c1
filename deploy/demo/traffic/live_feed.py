"""Live traffic in the background: each batch is first shown to the client that predicts, then sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from deploy.demo.traffic.paced_producer import PacedProducer
from deploy.demo.traffic.records import Records

_END_WITHIN_S = 2.0

Stream = Callable[[Callable[[], bool]], Iterator[Records]]
"""Given "am I to stop?", the batches."""


class LiveFeed:
    """A thread that sends while it is on. `before_sending` is called with each batch, in that thread."""

    def __init__(self, producer: PacedProducer, stream: Stream) -> None:
        self.before_sending: Callable[[Records], None] | None = None
        self.records = 0
        self.seconds = 0.0
        self._producer, self._stream = producer, stream
        self._stop = threading.Event()
        self._failed: BaseException | None = None
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin, or continue after a pause."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="live-traffic", daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Stop sending; when this returns, all that was sent is in the log."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.check()
        self._producer.flush()

    def abandon(self) -> None:
        """The run is over: send no more, and wait for nothing that may be gone."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_END_WITHIN_S)

    def check(self) -> None:
        """Raise what ended the thread, if something did."""
        if self._failed is not None:
            raise self._failed

    def _run(self) -> None:
        began_s = time.monotonic()
        try:
            for _ in self._producer.send(self._shown(self._stream(self._stop.is_set))):
                if self._stop.is_set():
                    continue  # the batch under way is sent to its end: half of one would not be what was counted
        except BaseException as error:  # handed to the main thread by `check`
            self._failed = error
        self.seconds += time.monotonic() - began_s

    def _shown(self, batches: Iterator[Records]) -> Iterator[Records]:
        for batch in batches:
            if self.before_sending is not None:
                self.before_sending(batch)
            yield batch
            self.records += len(batch)
