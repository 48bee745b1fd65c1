"""A kept connection may have been closed by the other side, which no caller notices; silence ends at the deadline."""

import socket
import threading
import time

import pytest

from serving.client.kept_connections import KeptConnections
from serving.errors import EndpointAwayError

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


def test_a_connection_that_was_closed_meanwhile_is_replaced_and_the_key_is_sent_again():
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_twice():
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    heard.append(connection.recv(65536))
                    connection.sendall(OK)  # and closes, though the answer does not say so

        thread = threading.Thread(target=answer_twice)
        thread.start()
        connections = KeptConnections(f"http://127.0.0.1:{server.getsockname()[1]}/below", "secret")
        for _ in range(2):
            assert connections.post("/path", b"{}", time.monotonic() + 60) == (200, None, b"{}")
        thread.join(60)
        connections.close()
    assert len(heard) == 2
    assert all(b"\r\nauthorization: Bearer secret\r\n" in each for each in heard)


def test_an_endpoint_that_accepts_and_says_nothing_is_given_up_at_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(EndpointAwayError, match="timed out"):
        KeptConnections(f"http://127.0.0.1:{server.getsockname()[1]}").post("/", b"{}", time.monotonic() + 0.3)


def test_a_kept_connection_that_falls_silent_is_given_up_at_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as server:
        connections = KeptConnections(f"http://127.0.0.1:{server.getsockname()[1]}")
        over = threading.Event()

        def answer_once():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(OK)
                over.wait(60)

        thread = threading.Thread(target=answer_once)
        thread.start()
        assert connections.post("/", b"{}", time.monotonic() + 60)[0] == 200
        with pytest.raises(EndpointAwayError, match="timed out"):
            connections.post("/", b"{}", time.monotonic() + 0.3)
        over.set()
        thread.join(60)
