"""The proxy that makes a network: what passes, what does not, and when."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.embedded.ports import LOOPBACK
from tests.chaos.proxy import Proxy


class Echo:
    """A server that answers every chunk with itself and remembers all that it got."""

    def __init__(self) -> None:
        self.got = bytearray()
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            while True:
                try:
                    data = connection.recv(1024)
                    self.got += data
                    connection.sendall(data)
                except OSError:
                    return
                if not data:
                    return

    def close(self) -> None:
        with contextlib.suppress(OSError):  # closed already
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def wait_for(self, wanted: bytes) -> None:
        deadline = time.monotonic() + 90
        while wanted not in self.got:
            assert time.monotonic() < deadline, f"the server never got {wanted!r}"
            time.sleep(0.01)


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(echo.port) as proxy:
        yield proxy


@contextmanager
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection((LOOPBACK, proxy.port), timeout=60) as connection:
        yield connection


def answer(connection: socket.socket, message: bytes) -> bytes:
    connection.sendall(message)
    return connection.recv(1024)


def keep_asking(connection: socket.socket) -> None:
    """Until the connection fails: the first messages may still be taken by the kernel."""
    for _ in range(100):
        connection.sendall(b"anybody?")
        if not connection.recv(1024):
            raise ConnectionResetError


def test_bytes_pass_both_ways(proxy: Proxy) -> None:
    with client(proxy) as one, client(proxy) as other:
        assert answer(one, b"one") == b"one"
        assert answer(other, b"other") == b"other"
        assert answer(one, b"again") == b"again"


def test_connections_are_reset_and_new_ones_pass(proxy: Proxy) -> None:
    with client(proxy) as connection:
        answer(connection, b"before")
        assert proxy.reset_all() == 1
        with pytest.raises(ConnectionError):
            keep_asking(connection)
    with client(proxy) as connection:
        assert answer(connection, b"after") == b"after"


def test_nothing_passes_a_black_hole_until_it_ends(proxy: Proxy, echo: Echo) -> None:
    with client(proxy) as old:
        answer(old, b"before")
        proxy.fall_silent()
        with client(proxy) as new:
            for connection in (old, new):
                connection.sendall(b"into the dark")
                connection.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    connection.recv(1024)
                connection.settimeout(60)
            assert b"dark" not in echo.got
            proxy.speak()
            assert old.recv(1024) == new.recv(1024) == b"into the dark"


def test_a_message_arrives_after_its_sender_has_given_up(proxy: Proxy, echo: Echo) -> None:
    """A commit call that times out and is done all the same: the reason why commits compare an id."""
    for times, for_s in enumerate((0.5, 5.0, 30.0), 1):  # a busy machine may take longer for the second
        echo.got.clear()
        proxy.hold_back(b"EVALSHA", for_s=for_s, count=1)
        with client(proxy) as connection:
            assert answer(connection, b"GET") == b"GET"
            connection.settimeout(0.1)
            connection.sendall(b"EVALSHA the first")
            with pytest.raises(TimeoutError):
                connection.recv(1024)
        with client(proxy) as connection:
            assert answer(connection, b"EVALSHA the second") == b"EVALSHA the second"
        is_late = b"the first" not in echo.got
        echo.wait_for(b"EVALSHA the first")
        assert proxy.held_back == times
        if is_late:
            return
    pytest.fail("the first was not held back")


def test_what_was_sent_into_a_black_hole_arrives_though_the_sender_is_gone(proxy: Proxy, echo: Echo) -> None:
    with client(proxy) as connection:
        answer(connection, b"before")
        proxy.fall_silent()
        connection.sendall(b"last words")
    time.sleep(0.1)
    assert b"last words" not in echo.got
    proxy.speak()
    echo.wait_for(b"last words")


def test_latency_is_added_and_taken_away(proxy: Proxy) -> None:
    with client(proxy) as connection:
        proxy.slow_down(0.2)
        began = time.monotonic()
        assert answer(connection, b"slow") == b"slow"
        assert time.monotonic() - began >= 0.4
        proxy.be_good()
        assert answer(connection, b"fast") == b"fast"


def test_a_server_that_is_away_looks_away(proxy: Proxy, echo: Echo) -> None:
    echo.close()
    with pytest.raises(ConnectionError), client(proxy) as connection:
        keep_asking(connection)
