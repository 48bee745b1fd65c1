"""Bytes go through the front door both ways, and a port that is taken is named."""

import socket

import pytest

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.kafka.front_door import FrontDoor
from deploy.embedded.ports import LOOPBACK, free_port


def test_bytes_go_both_ways_until_one_side_ends():
    with socket.create_server((LOOPBACK, 0)) as server:
        port = free_port()
        FrontDoor(port, server.getsockname()[1])
        with socket.create_connection((LOOPBACK, port), timeout=60) as client:
            inside, _ = server.accept()
            with inside:
                client.sendall(b"question")
                assert inside.recv(100) == b"question"
                inside.sendall(b"answer")
                assert client.recv(100) == b"answer"
            assert client.recv(100) == b""


def test_a_taken_port_is_named():
    with socket.create_server((LOOPBACK, 0)) as server, pytest.raises(EmbeddedError, match=r"port \d+ of 127.0.0.1"):
        FrontDoor(server.getsockname()[1], 1)
