"""A port of one's choice before a port that cannot be chosen: it forwards bytes, both ways.

librdkafka's simulator takes a free port at every start. A client needs a known address only for its first question:
the answer names the simulator's own port, where the client goes from then on.
"""

from __future__ import annotations

import contextlib
import socket
import threading

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import LOOPBACK

_AT_ONCE = 65_536


class FrontDoor:
    """Listens on `port` of loopback, in daemon threads, for as long as the process lives."""

    def __init__(self, port: int, behind: int) -> None:
        self._behind = behind
        try:
            self._door = socket.create_server((LOOPBACK, port))
        except OSError as error:
            raise EmbeddedError(f"port {port} of {LOOPBACK} cannot be listened on: {error.strerror}") from error
        threading.Thread(target=self._open, name="front door", daemon=True).start()

    def _open(self) -> None:
        while True:
            client, _ = self._door.accept()
            try:
                broker = socket.create_connection((LOOPBACK, self._behind))
            except OSError:  # the simulated broker is down
                client.close()
                continue
            for one, other in ((client, broker), (broker, client)):
                threading.Thread(target=_forward, args=(one, other), daemon=True).start()


def _forward(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := one.recv(_AT_ONCE):
            other.sendall(part)
    for each in (one, other):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
    one.close()
